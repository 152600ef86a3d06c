/**
 * The one generator of random numbers: Philox4x32-10, counter-based (Salmon et al., "Parallel Random
 * Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3). The n-th number of a stream is a function of
 * the stream's key and n alone, so whoever knows the seed and the step knows every random number of
 * that step: nothing has to be stored, and nothing is disturbed by numbers drawn elsewhere.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;
const WORDS = 4;
const TWO_32 = 0x1_0000_0000;
/** Items that are moved between two stops of a long work. */
const ITEMS_IN_PART = 1 << 14;

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Replaces the four words of `block`, a counter, by the four random words that belong to it. */
export function philox(block: Uint32Array, key0: number, key1: number): void {
  let word0 = block[0];
  let word1 = block[1];
  let word2 = block[2];
  let word3 = block[3];
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, word0);
    const low0 = Math.imul(MULTIPLIER_0, word0);
    const high1 = multiplyHigh(MULTIPLIER_1, word2);
    const low1 = Math.imul(MULTIPLIER_1, word2);
    word0 = (high1 ^ word1 ^ k0) >>> 0;
    word1 = low1 >>> 0;
    word2 = (high0 ^ word3 ^ k1) >>> 0;
    word3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  block[0] = word0;
  block[1] = word1;
  block[2] = word2;
  block[3] = word3;
}

/** A stream of random numbers. */
export class Random {
  readonly #block = new Uint32Array(WORDS);
  #position = 0;

  private constructor(
    /** The two 32-bit words that tell this stream from all others. */
    readonly key: readonly [number, number],
  ) {}

  /** The root of all streams of one random seed, an integer from 0 to 2^53 - 1. */
  static fromSeed(seed: number): Random {
    return new Random([seed >>> 0, Math.floor(seed / TWO_32) >>> 0]);
  }

  /**
   * A separate stream for one purpose (`"dropout"`, step 7, layer 1). Forking draws nothing from
   * this stream, and the same purpose always gives the same stream.
   */
  fork(...purpose: readonly (string | number)[]): Random {
    let key = this.key;
    const block = new Uint32Array(WORDS);
    for (const part of purpose) {
      // The mark keeps the number 7 apart from the name "7".
      const text = typeof part === "number" ? `\0${part}` : part;
      for (let start = 0; start < text.length || start === 0; start += WORDS) {
        for (let word = 0; word < WORDS; word++) {
          // Lengths differ in the first block, so that no name is another's beginning.
          const unit = start + word < text.length ? text.charCodeAt(start + word) : 0xffff;
          block[word] = (unit | (text.length << 16)) >>> 0;
        }
        philox(block, key[0], key[1]);
        key = [block[0], block[1]];
      }
    }
    return new Random(key);
  }

  /** The next integer from 0 to 2^32 - 1. */
  uint32(): number {
    const word = this.#position % WORDS;
    if (word === 0) {
      const counter = this.#position / WORDS;
      this.#block[0] = counter >>> 0;
      this.#block[1] = Math.floor(counter / TWO_32) >>> 0;
      this.#block[2] = 0;
      this.#block[3] = 0;
      philox(this.#block, this.key[0], this.key[1]);
    }
    this.#position++;
    return this.#block[word];
  }

  /** The next number from 0 (included) to 1 (excluded), with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 0x400_0000 + low) / 0x20_0000_0000_0000;
  }

  /** The next integer from 0 to `limit` - 1, each as likely as the others (`limit` up to 2^32). */
  below(limit: number): number {
    // Numbers past the last whole multiple of the limit would favour small results.
    const fair = TWO_32 - (TWO_32 % limit);
    let value = this.uint32();
    while (value >= fair) value = this.uint32();
    return value % limit;
  }

  /** The next number from the standard normal distribution (Box and Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Puts `items` into a random order, in place (Fisher and Yates); it stops from time to time. */
  *shuffling(items: Uint32Array): Generator<void, void> {
    for (let last = items.length - 1; last > 0; last--) {
      if (last % ITEMS_IN_PART === 0) yield;
      const other = this.below(last + 1);
      const kept = items[last];
      items[last] = items[other];
      items[other] = kept;
    }
  }
}
