import assert from "node:assert/strict";
import type { Tensor } from "#src/backends/backend.js";

/** The seed of the random cases: CHARNN_TEST_SEED, which \`npm run test:long\` draws, or always the same. */
export function caseSeed(): number {
  return Number(process.env.CHARNN_TEST_SEED ?? 1);
}

/** Numbers to test with, from a generator that has nothing in common with the program's own. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1 (mulberry32). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)];
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const order = items.map((item) => ({ item, at: this.uniform() }));
    return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
  }

  /** `length` numbers from -`scale` to `scale`. */
  floats(length: number, scale = 1): Float32Array {
    return Float32Array.from({ length }, () => (2 * this.uniform() - 1) * scale);
  }

  /** `length` whole numbers from 0 to `limit` - 1. */
  tokens(length: number, limit: number): Int32Array {
    return Int32Array.from({ length }, () => this.below(limit));
  }

  /** A dropout mask: 0 or 1 / (1 - rate). */
  mask(length: number, rate = 0.4): Float32Array {
    return Float32Array.from({ length }, () => (this.uniform() < rate ? 0 : 1 / (1 - rate)));
  }
}

/** The numbers of a tensor, a copy. */
export function numbersOf(tensor: Tensor): Float32Array {
  return tensor instanceof Float32Array ? tensor.slice() : tensor.read();
}

/**
 * Every number is within `tolerance * (1 + |expected|)` of the expected one; NaN never is.
 *
 * @param what names the numbers in the message
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, `${what}: number of values`);
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(actual[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i]))) continue;
    const distance = Math.abs(actual[i] - expected[i]);
    assert.fail(`${what}[${i}] is ${actual[i]}, not ${expected[i]} (${distance} apart)`);
  }
}

type NumberArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** The two arrays hold the same bytes (so NaN equals NaN, and 0 is not -0). */
export function assertSameBytes(actual: NumberArray, expected: NumberArray, what: string): void {
  assert.deepEqual(bytesOf(actual), bytesOf(expected), what);
}

function bytesOf(array: NumberArray): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
