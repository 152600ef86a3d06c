import type { Workspace } from "../backend.js";

/**
 * Buffers by name: one is made when it is first asked for, grows when a longer one is, and is used
 * again ever after.
 */
export class CpuWorkspace implements Workspace {
  readonly #floats = new Map<string, Float32Array>();
  readonly #doubles = new Map<string, Float64Array>();
  readonly #integers = new Map<string, Int32Array>();

  /** `length` numbers in single precision, with what they last held. */
  floats(name: string, length: number): Float32Array {
    return take(this.#floats, name, length, (size) => new Float32Array(size));
  }

  /** `length` numbers in double precision, for sums; with what they last held. */
  doubles(name: string, length: number): Float64Array {
    return take(this.#doubles, name, length, (size) => new Float64Array(size));
  }

  /** `length` integers, with what they last held. */
  integers(name: string, length: number): Int32Array {
    return take(this.#integers, name, length, (size) => new Int32Array(size));
  }

  dispose(): void {}

  /** Bytes of the buffers. */
  get bytes(): number {
    let bytes = 0;
    for (const buffers of [this.#floats, this.#doubles, this.#integers]) {
      for (const buffer of buffers.values()) bytes += buffer.byteLength;
    }
    return bytes;
  }
}

function take<A extends Float32Array | Float64Array | Int32Array>(
  buffers: Map<string, A>,
  name: string,
  length: number,
  make: (size: number) => A,
): A {
  let buffer = buffers.get(name);
  if (buffer === undefined || buffer.length < length) {
    buffer = make(length);
    buffers.set(name, buffer);
  }
  return buffer.length === length ? buffer : (buffer.subarray(0, length) as A);
}
