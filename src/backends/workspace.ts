export type FloatArray = Float32Array | Float64Array;

/** What lives in an engine's own memory. */
interface Kept {
  readonly value: unknown;
  dispose(): void;
}

/**
 * Scratch memory of one layer, handed to its kernels at every call: a buffer is made when it is
 * first asked for, grows when a longer one is, and is used again ever after. It also carries what a
 * forward kernel leaves for its backward one.
 */
export class Workspace {
  readonly #floats = new Map<string, FloatArray>();
  readonly #doubles = new Map<string, Float64Array>();
  readonly #integers = new Map<string, Int32Array>();

  #kept: Kept | undefined;

  /** In double precision gradients can be checked against finite differences. */
  constructor(readonly precision: "single" | "double" = "single") {}

  /** `length` numbers of the workspace's precision, with whatever they last held. */
  floats(name: string, length: number): FloatArray {
    const type = this.precision === "single" ? Float32Array : Float64Array;
    return take(this.#floats, name, length, (size) => new type(size));
  }

  /** `length` numbers in double precision, for sums; with whatever they last held. */
  doubles(name: string, length: number): Float64Array {
    return take(this.#doubles, name, length, (size) => new Float64Array(size));
  }

  /** `length` integers, with whatever they last held. */
  integers(name: string, length: number): Int32Array {
    return take(this.#integers, name, length, (size) => new Int32Array(size));
  }

  /** `length` numbers in single precision in an array that `make` makes, which may be longer. */
  made(name: string, length: number, make: (length: number) => Float32Array): Float32Array {
    return take(this.#floats, name, length, make) as Float32Array;
  }

  /** Keeps what a forward kernel leaves for its backward one, in place of what was kept before. */
  keep(kept: Kept): void {
    this.#kept?.dispose();
    this.#kept = kept;
  }

  /** What {@link keep} kept; there must be something. */
  kept<Value>(): Value {
    if (!this.#kept) throw new Error("There was no forward pass with this workspace.");
    return this.#kept.value as Value;
  }

  dispose(): void {
    this.#kept?.dispose();
    this.#kept = undefined;
  }

  /** Bytes of the buffers. */
  get bytes(): number {
    let bytes = 0;
    for (const buffers of [this.#floats, this.#doubles, this.#integers]) {
      for (const buffer of buffers.values()) bytes += buffer.byteLength;
    }
    return bytes;
  }
}

function take<A extends FloatArray | Int32Array>(
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
