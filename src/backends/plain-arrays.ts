import { sizeOf } from "../config/parameters.js";
import type { ParameterArray, Tensor } from "./backend.js";

/** The numbers of a tensor, to be read. */
export function numbersOf(tensor: Tensor): Float32Array {
  return tensor instanceof Float32Array ? tensor : tensor.read();
}

/** The array that a tensor is, to be written to. */
export function arrayOf(tensor: Tensor): Float32Array {
  if (tensor instanceof Float32Array) return tensor;
  throw new Error("This backend can't write to a tensor of another one.");
}

/** A {@link ParameterArray} of one array, whose slices are views of it. */
export class PlainParameterArray implements ParameterArray {
  readonly byName: ReadonlyMap<string, Float32Array>;

  #release: (() => void) | undefined;

  /**
   * @param flat the numbers, the parameter array's own from now on
   * @param release frees their memory, where it is not the garbage collector's
   */
  constructor(
    readonly flat: Float32Array,
    shapes: ReadonlyMap<string, readonly number[]>,
    release?: () => void,
  ) {
    this.#release = release;
    const byName = new Map<string, Float32Array>();
    let start = 0;
    for (const [name, shape] of shapes) {
      const end = start + sizeOf(shape);
      byName.set(name, flat.subarray(start, end));
      start = end;
    }
    this.byName = byName;
  }

  of(name: string): Float32Array {
    return sliceOf(this.byName, name);
  }

  read(): Float32Array {
    return this.flat;
  }

  write(values: Float32Array): void {
    this.flat.set(values);
  }

  writeSlice(name: string, values: Float32Array): void {
    this.of(name).set(values);
  }

  dispose(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

/** The slice of a name, which must exist. */
export function sliceOf<Slice>(slices: ReadonlyMap<string, Slice>, name: string): Slice {
  const slice = slices.get(name);
  if (slice === undefined) throw new Error(`A model of this shape has no parameter ${name}.`);
  return slice;
}

/** How many numbers arrays of these shapes have together. */
export function lengthOf(shapes: ReadonlyMap<string, readonly number[]>): number {
  let length = 0;
  for (const shape of shapes.values()) length += sizeOf(shape);
  return length;
}
