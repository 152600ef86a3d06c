import { stopHere } from "../stop.js";
import {
  type Attribute,
  bool,
  int,
  type TensorFlowBinding,
  type TensorValues,
  TYPES,
  type,
} from "./binding.js";
import { FOR_ONEDNN, ONEDNN_PRODUCT, oneDnnProducts, type Transposed } from "./onednn.js";

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

/** What operations run on, and tensors that never change, made once: sizes, axes and numbers. */
export class Constants {
  readonly #ids = new Map<string, Id>();
  /** Operations run on a graphics processor. */
  readonly onGpu: boolean;
  /** The products that are oneDNN's. */
  readonly oneDnn: ReadonlySet<Transposed>;

  constructor(readonly binding: TensorFlowBinding) {
    this.onGpu = binding.isUsingGpuDevice();
    this.oneDnn = this.onGpu ? new Set() : oneDnnProducts(binding);
  }

  /** Whole numbers, as a vector. */
  integers(...values: number[]): Id {
    return this.#of(`integers ${values}`, () =>
      this.binding.createTensor([values.length], TYPES.int32, Int32Array.from(values)),
    );
  }

  /** A whole number, as a scalar. */
  integer(value: number): Id {
    return this.#of(`integer ${value}`, () =>
      this.binding.createTensor([], TYPES.int32, Int32Array.of(value)),
    );
  }

  /** A whole number, as a scalar of 64 bits. */
  long(value: number): Id {
    return this.#of(`long ${value}`, () =>
      // In two halves, the lower first.
      this.binding.createTensor([], TYPES.int64, Int32Array.of(value, 0)),
    );
  }

  /** A scalar. */
  float(value: number): Id {
    return this.#of(`float ${value}`, () =>
      this.binding.createTensor([], TYPES.float32, Float32Array.of(value)),
    );
  }

  #of(name: string, make: () => Id): Id {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = make();
      this.#ids.set(name, id);
    }
    return id;
  }
}

/**
 * TensorFlow's operations. What they make is freed together when the work is done, but for what was
 * kept. A list of tensors has as many as it says; axes are counted from 0.
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
   * Frees at once what `work` made but for what it returns: the memory is used again while it is
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

  one(name: string, inputs: readonly Id[], attributes = NONE): Id {
    return this.many(name, inputs, 1, attributes)[0];
  }

  many(name: string, inputs: readonly Id[], outputs: number, attributes = NONE): Id[] {
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
  number(value: number): Id {
    return this.tensor([], "float32", Float32Array.of(value));
  }

  /** A copy of a tensor's numbers. */
  values(id: Id): TensorValues {
    return this.constants.binding.tensorDataSync(id);
  }

  add(a: Id, b: Id): Id {
    return this.one("AddV2", [a, b]);
  }

  subtract(a: Id, b: Id): Id {
    return this.one("Sub", [a, b]);
  }

  multiply(a: Id, b: Id): Id {
    return this.one("Mul", [a, b]);
  }

  divide(a: Id, b: Id): Id {
    return this.one("RealDiv", [a, b]);
  }

  /** Of tensors of one shape. */
  sum(...terms: Id[]): Id {
    return this.one("AddN", terms, [int("N", terms.length), FLOATS]);
  }

  /** Of all numbers together, added up in double precision: a scalar. */
  norm(a: Id): Id {
    const half = this.one("L2Loss", [this.one("Cast", [a], [type("DstT", "float64")])]);
    const square = this.one("AddV2", [half, half]);
    return this.one("Cast", [this.root(square)], [type("DstT", "float32")]);
  }

  sumOfRows(matrix: Id): Id {
    return this.one("Sum", [matrix, this.constants.integers(0)]);
  }

  square(a: Id): Id {
    return this.one("Square", [a]);
  }

  root(a: Id): Id {
    return this.one("Sqrt", [a]);
  }

  /** Each number, but none beyond `most` or its negative. */
  limit(a: Id, most: number): Id {
    return this.one("ClipByValue", [a, this.number(-most), this.number(most)]);
  }

  sigmoid(a: Id): Id {
    return this.one("Sigmoid", [a]);
  }

  tanh(a: Id): Id {
    return this.one("Tanh", [a]);
  }

  /** Of what the sigmoid has made `y` of: dy y (1 - y). */
  sigmoidGradient(y: Id, dy: Id): Id {
    return this.one("SigmoidGrad", [y, dy]);
  }

  /** Of what the hyperbolic tangent has made `y` of: dy (1 - y y). */
  tanhGradient(y: Id, dy: Id): Id {
    return this.one("TanhGrad", [y, dy]);
  }

  /** Matrices; `transposed` is the factor whose transpose is taken. */
  product(a: Id, b: Id, transposed: Transposed = "none"): Id {
    return this.constants.oneDnn.has(transposed)
      ? this.one(ONEDNN_PRODUCT, [a, b], ONEDNN_PRODUCTS[transposed])
      : this.one("MatMul", [a, b], PRODUCTS[transposed]);
  }

  addBias(rows: Id, bias: Id): Id {
    return this.one("BiasAdd", [rows, bias]);
  }

  transpose(matrix: Id): Id {
    return this.one("Transpose", [matrix, this.constants.integers(1, 0)]);
  }

  /** The same numbers in another shape; a size of -1 is what is left. */
  reshape(a: Id, ...shape: number[]): Id {
    return this.one("Reshape", [a, this.constants.integers(...shape)]);
  }

  /** Equal parts. */
  split(a: Id, parts: number, axis: number): Id[] {
    const inputs = [this.constants.integer(axis), a];
    return this.many("Split", inputs, parts, [int("num_split", parts)]);
  }

  /** Parts of these sizes. */
  splitInto(a: Id, sizes: readonly number[], axis: number): Id[] {
    const inputs = [a, this.constants.integers(...sizes), this.constants.integer(axis)];
    return this.many("SplitV", inputs, sizes.length, [int("num_split", sizes.length)]);
  }

  join(parts: readonly Id[], axis: number): Id {
    const attributes = [int("N", parts.length), FLOATS, INT_INDICES];
    return this.one("ConcatV2", [...parts, this.constants.integer(axis)], attributes);
  }

  /** One tensor of several of one shape, along a new axis. */
  stack(parts: readonly Id[], axis = 0): Id {
    return this.one("Pack", parts, [int("N", parts.length), FLOATS, int("axis", axis)]);
  }

  /** The parts of a tensor along its first axis, which it has no more. */
  unstack(a: Id, count: number): Id[] {
    return this.many("Unpack", [a], count, [int("num", count), int("axis", 0)]);
  }

  /** The same tensor under another number, to be freed by itself. */
  same(a: Id): Id {
    return this.one("Identity", [a]);
  }

  /** The last part of a tensor `[count, ...shape]` along its first axis. */
  last(a: Id, count: number, shape: readonly number[]): Id {
    return this.reshape(this.#slice(a, count - 1, 1, shape), ...shape);
  }

  /** What was before each part of a tensor `[count, ...shape]`: `first`, `[...shape]`, and all but the last. */
  before(a: Id, first: Id, count: number, shape: readonly number[]): Id {
    const begins = this.reshape(first, 1, ...shape);
    return count === 1 ? begins : this.join([begins, this.#slice(a, 0, count - 1, shape)], 0);
  }

  /** Parts of a tensor `[count, ...shape]` along its first axis. */
  #slice(a: Id, from: number, count: number, shape: readonly number[]): Id {
    const { constants } = this;
    const begin = constants.integers(from, ...shape.map(() => 0));
    return this.one("Slice", [a, begin, constants.integers(count, ...shape)]);
  }

  /** Rows of a matrix by their numbers. */
  rows(matrix: Id, numbers: Id): Id {
    return this.one("GatherV2", [matrix, numbers, this.constants.integer(0)]);
  }

  /** Row i is the sum of all rows whose number is i. */
  sumsByNumber(rows: Id, numbers: Id, count: number): Id {
    return this.one("UnsortedSegmentSum", [rows, numbers, this.constants.integer(count)]);
  }

  /**
   * The negative logarithm of the softmax at each row's label, and the gradient by its logits.
   *
   * @param logits `[rows, classes]`
   * @param labels `[rows]`
   */
  softmaxCrossEntropy(logits: Id, labels: Id, classes: number): [losses: Id, byLogits: Id] {
    // On graphics processors this operation adds up in any order, and doesn't run where the same
    // bytes are wanted.
    if (!this.constants.onGpu) {
      const name = "SparseSoftmaxCrossEntropyWithLogits";
      return this.many(name, [logits, labels], 2) as [Id, Id];
    }
    const logarithms = this.one("LogSoftmax", [logits]);
    const losses = this.one("Neg", [this.atNumbers(logarithms, labels)]);
    return [losses, this.subtract(this.one("Exp", [logarithms]), this.oneHot(labels, classes))];
  }

  /** Of each row the element of this number. */
  atNumbers(matrix: Id, numbers: Id): Id {
    const inputs = [matrix, numbers, this.constants.integer(1)];
    return this.one("GatherV2", inputs, [int("batch_dims", 1)]);
  }

  /** A new last axis of `size`, with a one at the number and zeros elsewhere. */
  oneHot(numbers: Id, size: number): Id {
    const { constants } = this;
    const inputs = [numbers, constants.integer(size), constants.float(1), constants.float(0)];
    return this.one("OneHot", inputs);
  }

  zeros(...shape: number[]): Id {
    return this.one("Fill", [this.constants.integers(...shape), this.constants.float(0)]);
  }
}

/** All tensors in an object or array, however deep. */
export function idsIn(holder: unknown): Id[] {
  if (typeof holder === "number") return [holder];
  return typeof holder === "object" && holder !== null ? Object.values(holder).flatMap(idsIn) : [];
}
