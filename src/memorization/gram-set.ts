/** Of the rolling hash: odd, with bits all over. */
const BASE = 0x01000193;
/** Strings for each slot of the table, at most. */
const MAX_LOAD = 0.8;
const LEAST_SLOTS = 64;
/** Four of the table, one of the beginnings. */
const BYTES_PER_SLOT = 5;

/**
 * All strings of one length that occur in a text, which may grow: one position for each, in a table that is
 * looked up by a rolling hash and then compared with the text itself, so that it is never wrong.
 */
export class GramSet {
  readonly #length: number;
  #text: Numbers;
  #end = 0;
  /** Positions in the text, from 1; 0: free. */
  #table: Uint32Array;
  #mask: number;
  /**
   * A bit for the hash of each string without its last number: where it is 0, no string begins so, and most that
   * are looked up have a bit of 0.
   */
  #beginnings: Uint8Array;
  #strings = 0;
  #hash = 0;
  /** What the first of `length` numbers contributes to their hash. */
  readonly #oldest: number;

  /**
   * @param length of the strings, 1 or more
   * @param text where the text is complete: its numbers, which {@link addNext} then adds one by one
   */
  constructor(length: number, text?: Numbers) {
    this.#length = length;
    this.#text = text ?? new Uint32Array(LEAST_SLOTS);
    const slots = slotsFor(text?.length ?? 0);
    this.#table = new Uint32Array(slots);
    this.#mask = slots - 1;
    this.#beginnings = new Uint8Array(slots);
    let oldest = 1;
    for (let i = 1; i < length; i++) oldest = Math.imul(oldest, BASE);
    this.#oldest = oldest;
  }

  /** Bytes of memory that it takes beside a text of this many characters. */
  static bytesFor(characters: number): number {
    return BYTES_PER_SLOT * slotsFor(characters);
  }

  /** Adds a number at the end of a text that grows. */
  append(number: number): void {
    if (this.#end === this.#text.length) {
      const longer = new Uint32Array(2 * this.#end);
      longer.set(this.#text);
      this.#text = longer;
    }
    this.#text[this.#end] = number;
    this.addNext();
  }

  /** Adds the string that ends with the next number of the text. */
  addNext(): void {
    const text = this.#text;
    const length = this.#length;
    const end = this.#end++;
    const start = end - length + 1;
    let beginning = this.#hash;
    if (start > 0) beginning -= Math.imul(this.#oldest, text[start - 1] + 1);
    this.#hash = extended(beginning, text[end]);
    if (start < 0) return;
    const slot = this.#slotOf(this.#hash, (i) => text[start + i]);
    if (this.#table[slot] > 0) return;
    this.#table[slot] = start + 1;
    this.#addBeginning(beginning);
    this.#strings++;
    if (this.#strings > MAX_LOAD * this.#table.length) this.#grow();
  }

  /**
   * Looks for strings that differ in their last number alone.
   *
   * @param before their first `length - 1` numbers
   * @returns a function that says whether the string with this number at its end occurs in the text
   */
  lookUp(before: ArrayLike<number>): (last: number) => boolean {
    let hash = 0;
    for (let i = 0; i < this.#length - 1; i++) hash = extended(hash, before[i]);
    if (!this.#mayBegin(hash)) return never;
    const table = this.#table;
    return (last) => table[this.#slotOf(extended(hash, last), (i) => before[i] ?? last)] > 0;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(2 * old.length);
    this.#mask = this.#table.length - 1;
    this.#beginnings = new Uint8Array(this.#table.length);
    const text = this.#text;
    for (const position of old) {
      if (position === 0) continue;
      const start = position - 1;
      let beginning = 0;
      for (let i = 0; i < this.#length - 1; i++) beginning = extended(beginning, text[start + i]);
      this.#addBeginning(beginning);
      const hash = extended(beginning, text[start + this.#length - 1]);
      this.#table[this.#slotOf(hash, (i) => text[start + i])] = position;
    }
  }

  #addBeginning(hash: number): void {
    const bit = this.#bitOf(hash);
    this.#beginnings[bit >>> 3] |= 1 << (bit & 7);
  }

  #mayBegin(hash: number): boolean {
    const bit = this.#bitOf(hash);
    return (this.#beginnings[bit >>> 3] & (1 << (bit & 7))) !== 0;
  }

  /** Which of the eight bits for each slot is that of a hash. */
  #bitOf(hash: number): number {
    return mixed(hash) & (8 * this.#mask + 7);
  }

  /** Where a string is in the table, or would be. */
  #slotOf(hash: number, numberAt: (i: number) => number): number {
    const table = this.#table;
    let slot = mixed(hash) & this.#mask;
    while (table[slot] > 0 && !this.#isAt(table[slot] - 1, numberAt))
      slot = (slot + 1) & this.#mask;
    return slot;
  }

  #isAt(start: number, numberAt: (i: number) => number): boolean {
    const text = this.#text;
    for (let i = 0; i < this.#length; i++) if (text[start + i] !== numberAt(i)) return false;
    return true;
  }
}

type Numbers = Uint8Array | Uint16Array | Uint32Array;

function slotsFor(characters: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(characters / MAX_LOAD, LEAST_SLOTS)));
}

const never = () => false;

/** A hash whose low bits depend on all of its bits. */
function mixed(hash: number): number {
  const product = Math.imul(hash, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** The hash of a string with one more number at its end. */
function extended(hash: number, number: number): number {
  return (Math.imul(hash, BASE) + number + 1) | 0;
}
