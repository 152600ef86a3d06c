import { CharnnError } from "../../errors.js";
import { memorySize } from "../../text.js";
import type { Memory } from "./webassembly.js";

/** Of WebAssembly's memory, which grows by whole pages. */
export const PAGE = 65536;
/** 4 GiB: addresses have 32 bits. */
const MAX_BYTES = 2 ** 32;
/** Memory is handed out in multiples of this, so that all of it is aligned for vectors. */
const ALIGNMENT = 64;

/** A part of the memory, from one address up to, but not including, another. */
interface Range {
  begin: number;
  end: number;
}

/**
 * The memory that the kernels work in, and its allocator: the first free range that is large enough. Shared memory,
 * as the threads of a team need it, keeps its arrays when it grows; other memory leaves them empty.
 */
export class ModuleMemory {
  /** What the memory has been for JavaScript: another object once it has grown, or a thread has looked at its size. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  /** Sorted, never next to each other. All that follows the last one in use is in `#unused`. */
  readonly #free: Range[] = [];
  readonly #sizes = new Map<number, number>();
  /** Where what was never used begins: there are zeros. */
  #unused = 0;
  /** Bytes that there can be. */
  readonly #maximum: number;

  /** @param maximum of bytes that there can be */
  constructor(
    readonly memory: Memory,
    maximum = MAX_BYTES,
  ) {
    this.#maximum = maximum;
  }

  /** Leaves the memory before an address to the module. */
  reserve(end: number): void {
    this.#unused = aligned(end);
  }

  /** Zeros. */
  floats(length: number): Float32Array {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    const unused = this.#unused;
    const address = this.allocate(bytes);
    const array = this.floatsAt(address, length);
    if (address < unused) array.fill(0);
    return array;
  }

  /**
   * @returns the address of this many bytes, with what they last held
   * @throws CharnnError `OUT_OF_MEMORY`
   */
  allocate(bytes: number): number {
    const size = aligned(Math.max(bytes, 1));
    const index = this.#free.findIndex(({ begin, end }) => end - begin >= size);
    const address = index < 0 ? this.#takeUnused(size) : this.#takeFree(index, size);
    this.#sizes.set(address, size);
    return address;
  }

  /** Memory as an array, until it grows. */
  floatsAt(address: number, length: number): Float32Array {
    return new Float32Array(this.#buffer(), address, length);
  }

  /** Memory as an array, until it grows. */
  integersAt(address: number, length: number): Int32Array {
    return new Int32Array(this.#buffer(), address, length);
  }

  /** Memory as an array, until it grows. */
  bytesAt(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer(), address, length);
  }

  /** Takes back what {@link allocate} or {@link floats} has given. */
  free(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) throw new Error(`No memory was handed out at ${address}.`);
    this.#sizes.delete(address);
    const next = this.#free.findIndex(({ begin }) => begin > address);
    const index = next < 0 ? this.#free.length : next;
    this.#free.splice(index, 0, { begin: address, end: address + size });
    this.#join(index);
    this.#join(index - 1);
  }

  /** Where an array lies in this memory; undefined where it lies elsewhere. */
  addressOf(array: Float32Array | Int32Array | Uint8Array): number | undefined {
    return this.#buffers.has(array.buffer) ? array.byteOffset : undefined;
  }

  /** Bytes that are handed out. */
  get inUse(): number {
    let bytes = 0;
    for (const size of this.#sizes.values()) bytes += size;
    return bytes;
  }

  #takeFree(index: number, size: number): number {
    const range = this.#free[index];
    const address = range.begin;
    range.begin += size;
    if (range.begin === range.end) this.#free.splice(index, 1);
    return address;
  }

  #takeUnused(size: number): number {
    const last = this.#free.at(-1);
    const address = last?.end === this.#unused ? last.begin : this.#unused;
    const missing = address + size - this.memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE));
    if (address !== this.#unused) this.#free.pop();
    this.#unused = address + size;
    return address;
  }

  #grow(pages: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw tooLarge(this.inUse + pages * PAGE, this.#maximum, cause);
    }
  }

  #buffer(): ArrayBufferLike {
    const { buffer } = this.memory;
    this.#buffers.add(buffer);
    return buffer;
  }

  /** Joins two free ranges that are next to each other. */
  #join(index: number): void {
    const [range, next] = this.#free.slice(Math.max(index, 0), index + 2);
    if (index < 0 || next === undefined || range.end !== next.begin) return;
    range.end = next.end;
    this.#free.splice(index + 1, 1);
  }
}

/**
 * @param bytes that are needed
 * @param most that there may be
 */
export function tooLarge(bytes: number, most = MAX_BYTES, cause?: unknown): CharnnError {
  return new CharnnError(
    "OUT_OF_MEMORY",
    `The wasm backend needs ${memorySize(bytes)} of memory, and gets no more than ${memorySize(most)}.`,
    "Use a smaller batch, shorter windows or a smaller model, or the native backend.",
    { cause },
  );
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
