import { stopHere } from "../stop.js";
import { type Attribute, bool, int, type TensorValues, TYPES, type } from "./binding.js";
import type { Constants } from "./constants.js";
import { FOR_ONEDNN, ONEDNN_PRODUCT, type Transposed } from "./onednn.js";

/** The number of a tensor of TensorFlow's. */
export type Id = number;

const NONE: readonly Attribute[] = [];
const PRODUCTS = {
  none: NONE,
  left: [bool("transpose_a", true)],
  right: [bool("transpose_b", true)],
};
const ONEDNN_PRODUCTS = {
  none: [FOR_ONEDNN],
  left: [...PRODUCTS.left, FOR_ONEDNN],
  right: [...PRODUCTS.right, FOR_ONEDNN],
};
const FLOATS = type("T", "float32");
const INT_INDICES = type("Tidx", "int32");

/**
 * TensorFlow's operations, by its names. Their results are freed together when the work is done, except those
 * that were kept. A list of tensors has as many as it says; axes are counted from 0.
 */
export class Operations {
  #made = new Set<Id>();

  constructor(readonly constants: Constants) {}

  /** Leaves a tensor that was made here to the caller. */
  keep(id: Id): Id {
    this.#made.delete(id);
    return id;
  }

  /** @returns those of the tensors that were made here: they are left to the caller */
  keepOwn(ids: readonly Id[]): Id[] {
    return ids.filter((id) => this.#made.delete(id));
  }

  free(): void {
    for (const id of this.#made) this.constants.binding.deleteTensor(id);
    this.#made.clear();
  }

  /**
   * Frees at once what `work` made, except what it returns: the memory is used again while it is
   * still in the processor's cache.
   */
  tidy<Result>(work: () => Result): Result {
    const outer = this.#made;
    this.#made = new Set();
    try {
      const result = work();
      for (const id of this.keepOwn(idsIn(result))) outer.add(id);
      return result;
    } finally {
      this.free();
      this.#made = outer;
    }
  }

  execute(name: string, inputs: readonly Id[], attributes = NONE): Id {
    return this.executeMany(name, inputs, 1, attributes)[0];
  }

  executeMany(name: string, inputs: readonly Id[], outputs: number, attributes = NONE): Id[] {
    stopHere();
    const made = this.constants.binding.executeOp(name, attributes, inputs, outputs);
    return made.map(({ id }) => {
      this.#made.add(id);
      return id;
    });
  }

  /** A tensor of these numbers. */
  tensor(shape: readonly number[], dtype: "float32" | "int32", values: TensorValues): Id {
    const id = this.constants.binding.createTensor(shape, TYPES[dtype], values);
    this.#made.add(id);
    return id;
  }

  /** A scalar. */
  scalar(value: number): Id {
    return this.tensor([], "float32", Float32Array.of(value));
  }

  /** A copy of the numbers of a tensor of floats. */
  floats(id: Id): Float32Array {
    const values = this.constants.binding.tensorDataSync(id);
    if (values instanceof Float32Array) return values;
    throw new Error("The tensor is not of floats.");
  }

  /** A copy of the numbers of a tensor of integers. */
  integers(id: Id): Int32Array {
    const values = this.constants.binding.tensorDataSync(id);
    if (values instanceof Int32Array) return values;
    throw new Error("The tensor is not of integers.");
  }

  add(a: Id, b: Id): Id {
    return this.execute("AddV2", [a, b]);
  }

  subtract(a: Id, b: Id): Id {
    return this.execute("Sub", [a, b]);
  }

  multiply(a: Id, b: Id): Id {
    return this.execute("Mul", [a, b]);
  }

  divide(a: Id, b: Id): Id {
    return this.execute("RealDiv", [a, b]);
  }

  /** Of tensors of one shape. */
  addN(...terms: Id[]): Id {
    return this.execute("AddN", terms, [int("N", terms.length), FLOATS]);
  }

  /** The Euclidean norm of all numbers, summed in double precision: a scalar. */
  globalNorm(a: Id): Id {
    const half = this.execute("L2Loss", [this.execute("Cast", [a], [type("DstT", "float64")])]);
    const square = this.execute("AddV2", [half, half]);
    return this.execute("Cast", [this.sqrt(square)], [type("DstT", "float32")]);
  }

  sumRows(matrix: Id): Id {
    return this.execute("Sum", [matrix, this.constants.integers(0)]);
  }

  /** Booleans. */
  notEqual(a: Id, b: Id): Id {
    return this.execute("NotEqual", [a, b]);
  }

  /** Numbers of `a` where `which` is true, and else of `b`. */
  select(which: Id, a: Id, b: Id): Id {
    return this.execute("SelectV2", [which, a, b]);
  }

  onesLike(a: Id): Id {
    return this.execute("OnesLike", [a]);
  }

  square(a: Id): Id {
    return this.execute("Square", [a]);
  }

  sqrt(a: Id): Id {
    return this.execute("Sqrt", [a]);
  }

  /** Each number, from -`max` to `max`. */
  clipByValue(a: Id, max: number): Id {
    return this.execute("ClipByValue", [a, this.scalar(-max), this.scalar(max)]);
  }

  sigmoid(a: Id): Id {
    return this.execute("Sigmoid", [a]);
  }

  tanh(a: Id): Id {
    return this.execute("Tanh", [a]);
  }

  /** For y = sigmoid(x): dy y (1 - y). */
  sigmoidGrad(y: Id, dy: Id): Id {
    return this.execute("SigmoidGrad", [y, dy]);
  }

  /** For y = tanh(x): dy (1 - y y). */
  tanhGrad(y: Id, dy: Id): Id {
    return this.execute("TanhGrad", [y, dy]);
  }

  /** Matrices; `transposed` is the factor whose transpose is taken. */
  matMul(a: Id, b: Id, transposed: Transposed = "none"): Id {
    return this.constants.oneDnn.has(transposed)
      ? this.execute(ONEDNN_PRODUCT, [a, b], ONEDNN_PRODUCTS[transposed])
      : this.execute("MatMul", [a, b], PRODUCTS[transposed]);
  }

  biasAdd(rows: Id, bias: Id): Id {
    return this.execute("BiasAdd", [rows, bias]);
  }

  transpose(matrix: Id): Id {
    return this.execute("Transpose", [matrix, this.constants.integers(1, 0)]);
  }

  /** The same numbers in another shape; a size of -1 takes what is left. */
  reshape(a: Id, ...shape: number[]): Id {
    return this.execute("Reshape", [a, this.constants.integers(...shape)]);
  }

  /** Equal parts. */
  split(a: Id, parts: number, axis: number): Id[] {
    const inputs = [this.constants.integer(axis), a];
    return this.executeMany("Split", inputs, parts, [int("num_split", parts)]);
  }

  /** Parts of these sizes. */
  splitV(a: Id, sizes: readonly number[], axis: number): Id[] {
    const inputs = [a, this.constants.integers(...sizes), this.constants.integer(axis)];
    return this.executeMany("SplitV", inputs, sizes.length, [int("num_split", sizes.length)]);
  }

  concat(parts: readonly Id[], axis: number): Id {
    const attributes = [int("N", parts.length), FLOATS, INT_INDICES];
    return this.execute("ConcatV2", [...parts, this.constants.integer(axis)], attributes);
  }

  /** One tensor of several of one shape, along a new axis. */
  stack(parts: readonly Id[], axis = 0): Id {
    return this.execute("Pack", parts, [int("N", parts.length), FLOATS, int("axis", axis)]);
  }

  /** The parts of a tensor along its first axis, without that axis. */
  unstack(a: Id, count: number): Id[] {
    return this.executeMany("Unpack", [a], count, [int("num", count), int("axis", 0)]);
  }

  /** The same tensor under another number, to be freed by itself. */
  identity(a: Id): Id {
    return this.execute("Identity", [a]);
  }

  /** The last part of a tensor `[count, ...shape]` along its first axis. */
  lastStep(a: Id, count: number, shape: readonly number[]): Id {
    return this.reshape(this.#slice(a, count - 1, 1, shape), ...shape);
  }

  /** The states before each step: `first`, `[...shape]`, and all of `[count, ...shape]` but the last. */
  statesBefore(a: Id, first: Id, count: number, shape: readonly number[]): Id {
    const begins = this.reshape(first, 1, ...shape);
    return count === 1 ? begins : this.concat([begins, this.#slice(a, 0, count - 1, shape)], 0);
  }

  /** Parts of a tensor `[count, ...shape]` along its first axis. */
  #slice(a: Id, from: number, count: number, shape: readonly number[]): Id {
    const { constants } = this;
    const begin = constants.integers(from, ...shape.map(() => 0));
    return this.execute("Slice", [a, begin, constants.integers(count, ...shape)]);
  }

  /** Rows of a matrix by their numbers. */
  gather(matrix: Id, numbers: Id): Id {
    return this.execute("GatherV2", [matrix, numbers, this.constants.integer(0)]);
  }

  /** Row i is the sum of all rows whose number is i. */
  unsortedSegmentSum(rows: Id, numbers: Id, count: number): Id {
    return this.execute("UnsortedSegmentSum", [rows, numbers, this.constants.integer(count)]);
  }

  /**
   * The negative logarithm of the softmax at each row's label, and its gradient with respect to the logits.
   *
   * @param logits `[rows, classes]`
   * @param labels `[rows]`
   */
  sparseSoftmaxCrossEntropy(
    logits: Id,
    labels: Id,
    classes: number,
  ): [losses: Id, gradientLogits: Id] {
    // On graphics processors this operation adds up in any order, and doesn't run where the same
    // bytes are wanted.
    if (!this.constants.onGpu) {
      const name = "SparseSoftmaxCrossEntropyWithLogits";
      return this.executeMany(name, [logits, labels], 2) as [Id, Id];
    }
    const logarithms = this.execute("LogSoftmax", [logits]);
    const losses = this.execute("Neg", [this.gatherBatch(logarithms, labels)]);
    return [losses, this.subtract(this.execute("Exp", [logarithms]), this.oneHot(labels, classes))];
  }

  /** Of each row the element of this number. */
  gatherBatch(matrix: Id, numbers: Id): Id {
    const inputs = [matrix, numbers, this.constants.integer(1)];
    return this.execute("GatherV2", inputs, [int("batch_dims", 1)]);
  }

  /** A new last axis of `size`, with a one at the number and zeros elsewhere. */
  oneHot(numbers: Id, size: number): Id {
    const { constants } = this;
    const inputs = [numbers, constants.integer(size), constants.float(1), constants.float(0)];
    return this.execute("OneHot", inputs);
  }

  zeros(...shape: number[]): Id {
    return this.execute("Fill", [this.constants.integers(...shape), this.constants.float(0)]);
  }
}

/** All tensors in an object or array, at any depth. */
export function idsIn(holder: unknown): Id[] {
  if (typeof holder === "number") return [holder];
  return typeof holder === "object" && holder !== null ? Object.values(holder).flatMap(idsIn) : [];
}
