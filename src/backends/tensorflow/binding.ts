/**
 * The addon of `@tensorflow/tfjs-node`, through which TensorFlow's operations are called. Its
 * JavaScript is left out: an operation costs less without it, and it neither prints, nor makes itself
 * the active backend, nor calls what newer versions of Node.js no longer have.
 */
export interface TensorFlowBinding {
  /** @returns the tensor's number; it may go on to share the memory of `values` */
  createTensor(shape: readonly number[], type: number, values: TensorValues): number;
  deleteTensor(id: number): void;
  /** A copy of its numbers. */
  tensorDataSync(id: number): TensorValues;
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): { readonly id: number; readonly shape: number[]; readonly dtype: number }[];
  /** How many tensors there are. */
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
}

export type TensorValues = Float32Array | Int32Array | Uint8Array;

/** A part of an operation that is fixed when it is called, and no tensor. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | string | readonly number[];
}

/** TensorFlow's numbers of types (`TF_DataType`). */
export const TYPES = {
  float32: 1,
  float64: 2,
  int32: 3,
  int64: 9,
} as const;

/** TensorFlow's numbers of kinds of attributes (`TF_AttrType`). */
const KINDS = { string: 0, int: 1, bool: 3, type: 4 } as const;

/** An attribute that is a whole number. */
export function int(name: string, value: number): Attribute {
  return { name, type: KINDS.int, value };
}

/** An attribute that is a word. */
export function string(name: string, value: string): Attribute {
  return { name, type: KINDS.string, value };
}

export function bool(name: string, value: boolean): Attribute {
  return { name, type: KINDS.bool, value };
}

export function type(name: string, value: keyof typeof TYPES): Attribute {
  return { name, type: KINDS.type, value: TYPES[value] };
}
