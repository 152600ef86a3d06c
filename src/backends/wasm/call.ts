import {
  type MaskArgument,
  type MaskSource,
  type Panels,
  VECTOR_WIDTH,
} from "../kernels/kernels.js";
import { type ModuleMemory, tooLarge } from "./memory.js";

type NumberArray = Float32Array | Int32Array | Uint8Array;

/** Room for the numbers of a call: `native/wasm/call.h` has the same number. */
const CALL_NUMBERS = 512;

/** Elements of one array that addresses of 32 bits reach, and that can be multiplied by a vector's width. */
const MAX_LENGTH = 2 ** 28;

const NO_PANELS: Panels = { data: new Float32Array(0), offset: 0, stride: 0 };
const NO_DROPOUT: MaskSource = { rate: 0, key0: 0, key1: 0 };

/**
 * The numbers that the module's functions are called with, written one after another as
 * `native/wasm/call.h` reads them, and checked on the way. Arrays in the module's memory are used in
 * place; others are copied in, and back where a kernel writes to them.
 */
export class Call {
  readonly #memory: ModuleMemory;
  /** Where the module reads them. */
  readonly #address: number;
  #numbers: Float64Array = new Float64Array(0);
  #written = 0;
  /** Memory to be freed when the call has ended. */
  readonly #borrowed: number[] = [];
  readonly #copies: { readonly to: NumberArray; readonly address: number }[] = [];

  /** @param address of the block of memory where the module reads its numbers */
  constructor(memory: ModuleMemory, address: number) {
    this.#memory = memory;
    this.#address = address;
  }

  /**
   * One call.
   *
   * @param write the arguments
   * @param run the function of the module
   * @throws TypeError for an argument that is wrong
   */
  run<Result>(write: (call: Call) => void, run: () => Result): Result {
    this.#written = 0;
    try {
      write(this);
      const result = run();
      for (const { to, address } of this.#copies) to.set(this.#view(to, address));
      return result;
    } finally {
      for (const address of this.#borrowed) this.#memory.free(address);
      this.#borrowed.length = 0;
      this.#copies.length = 0;
    }
  }

  number(value: number): void {
    // Memory that is not shared takes its arrays along when it grows.
    if (this.#numbers.length === 0) {
      const { buffer } = this.#memory.memory;
      this.#numbers = new Float64Array(buffer, this.#address, CALL_NUMBERS);
    }
    this.#numbers[this.#written++] = value;
  }

  flag(value: boolean): void {
    this.number(Number(value));
  }

  size(name: string, value: number, least = 1): void {
    if (!(Number.isInteger(value) && value >= least && value <= MAX_LENGTH)) {
      throw new TypeError(`${name} must be a whole number from ${least} to ${MAX_LENGTH}.`);
    }
    this.number(value);
  }

  /** An array that is read; none where it is undefined. */
  reads(name: string, array: NumberArray | undefined, length: number): void {
    this.number(array === undefined ? 0 : this.#addressOf(name, array, length, true));
  }

  /** An array that is overwritten; none where it is undefined. */
  writes(name: string, array: NumberArray | undefined, length: number): void {
    this.number(array === undefined ? 0 : this.#addressOf(name, array, length, false));
    if (array !== undefined) this.#copyBack(array);
  }

  /** An array that is read and overwritten; none where it is undefined. */
  updates(name: string, array: NumberArray | undefined, length: number): void {
    this.reads(name, array, length);
    if (array !== undefined) this.#copyBack(array);
  }

  /** An array of at least `length` numbers in the module's memory. */
  scratch(array: Float32Array, length: number): void {
    const address = this.#memory.addressOf(array);
    if (address === undefined || address % 64 !== 0 || array.length < length) {
      throw new TypeError(`scratch must be ${length} floats of the module's memory.`);
    }
    this.number(address);
  }

  /** Memory with any content until the call ends. */
  borrow(bytes: number): void {
    this.number(this.#borrow(bytes));
  }

  panels(name: string, panels: Panels | undefined, count: number, rows: number): void {
    const { data, offset, stride } = panels ?? NO_PANELS;
    const length = panels ? (count - 1) * stride + rows * VECTOR_WIDTH : 0;
    if (offset + length > data.length) {
      throw new TypeError(`${name} must be ${count} panels of ${rows} rows inside their array.`);
    }
    this.reads(name, panels && data.subarray(offset, offset + length), length);
    this.number(stride);
  }

  mask(name: string, mask: MaskArgument | undefined, length: number): void {
    if (mask && "rate" in mask && !(mask.rate > 0 && mask.rate < 1)) {
      throw new TypeError("rate must be above 0 and below 1.");
    }
    const { rate, key0, key1 } = mask && "rate" in mask ? mask : NO_DROPOUT;
    this.reads(name, mask && "values" in mask ? mask.values : undefined, length);
    this.number(rate);
    this.number(key0);
    this.number(key1);
  }

  #addressOf(name: string, array: NumberArray, length: number, isRead: boolean): number {
    if (array.length !== length) {
      throw new TypeError(`${name} must be ${typeOf(array)} of ${length}, not of ${array.length}.`);
    }
    const inside = this.#memory.addressOf(array);
    if (inside !== undefined) return inside;
    const address = this.#borrow(array.byteLength);
    if (isRead) this.#view(array, address).set(array);
    return address;
  }

  #borrow(bytes: number): number {
    const address = this.#memory.allocate(bytes);
    this.#borrowed.push(address);
    return address;
  }

  /** Marks the array whose address was written last to be overwritten when the call has ended. */
  #copyBack(to: NumberArray): void {
    if (this.#memory.addressOf(to) !== undefined) return;
    this.#copies.push({ to, address: this.#numbers[this.#written - 1] });
  }

  /** Memory at an address as an array of the type and length of another. */
  #view(like: NumberArray, address: number): NumberArray {
    if (like instanceof Int32Array) return this.#memory.integersAt(address, like.length);
    if (like instanceof Uint8Array) return this.#memory.bytesAt(address, like.length);
    return this.#memory.floatsAt(address, like.length);
  }
}

function typeOf(array: NumberArray): string {
  if (array instanceof Int32Array) return "an Int32Array";
  return array instanceof Uint8Array ? "a Uint8Array" : "a Float32Array";
}

/** @throws CharnnError `OUT_OF_MEMORY` where this many floats are more than memory can be */
export function floatsFor(floats: number): number {
  const bytes = floats * Float32Array.BYTES_PER_ELEMENT;
  if (bytes >= 2 ** 32) throw tooLarge(bytes);
  return floats;
}

/** @throws CharnnError `OUT_OF_MEMORY` where an array of these lengths is longer than any */
export function length(...lengths: readonly number[]): number {
  const product = lengths.reduce((product, length) => product * length, 1);
  if (product > MAX_LENGTH) throw tooLarge(product * Float32Array.BYTES_PER_ELEMENT);
  return product;
}

/** @throws TypeError unless each token is below the size of the vocabulary, and not below `least` */
export function checkTokens(
  name: string,
  tokens: Int32Array,
  vocabulary: number,
  least = Number.NEGATIVE_INFINITY,
): void {
  for (const token of tokens) {
    if (token >= vocabulary || token < least) {
      throw new TypeError(`${name} must be below ${vocabulary}, not ${token}.`);
    }
  }
}
