import type { Mask, OpaqueTensor, Tensor } from "../backend.js";
import { arrayOf, numbersOf } from "../plain-arrays.js";
import { fillDropoutMask } from "./dropout-mask.js";
import type { Id, Operations } from "./operations.js";
import type { Runtime } from "./runtime.js";

/** A tensor of TensorFlow's, whose owner frees it. */
export class TensorFlowTensor implements OpaqueTensor {
  constructor(
    readonly length: number,
    protected readonly runtime: Runtime,
    /** The number of the tensor as it is now. */
    readonly id: () => Id,
  ) {}

  read(): Float32Array {
    return this.runtime.run((ops) => ops.floats(this.id()));
  }
}

/** The whole of a parameter array, or a slice of it. */
export class TensorFlowSlice extends TensorFlowTensor {
  constructor(
    length: number,
    runtime: Runtime,
    id: () => Id,
    /** Puts another tensor in its place, which the array owns then. */
    readonly replace: (id: Id) => void,
  ) {
    super(length, runtime, id);
  }
}

/** TensorFlow's tensor of some numbers, to be read. */
export function idOf(ops: Operations, tensor: Tensor, shape: readonly number[]): Id {
  if (tensor instanceof TensorFlowTensor) return tensor.id();
  return ops.tensor(shape, "float32", numbersOf(tensor).slice());
}

/** Overwrites the numbers of a tensor by those of one that was made here. */
export function overwrite(ops: Operations, tensor: Tensor, by: Id): void {
  if (tensor instanceof TensorFlowSlice) tensor.replace(ops.keep(by));
  else arrayOf(tensor).set(ops.floats(by));
}

/** @param columns of a row of the mask; its length then gives the number of rows */
export function maskId(ops: Operations, mask: Mask, columns: number): Id {
  const numbers = new Float32Array(mask.length);
  if (mask instanceof Float32Array) numbers.set(mask);
  else fillDropoutMask(numbers, mask);
  return ops.tensor([mask.length / columns, columns], "float32", numbers);
}

/** What is left of a tensor under a mask. */
export function masked(ops: Operations, tensor: Id, mask: Id | undefined): Id {
  return mask === undefined ? tensor : ops.multiply(tensor, mask);
}
