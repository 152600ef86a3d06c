import type { NamedText } from "../data/texts.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { refuseTooLarge } from "../memory.js";
import { Turns } from "../turns.js";

/** Of the rolling hash: odd, with bits all over. */
const BASE = 0x01000193;
/** This many characters are added between two looks at the clock. */
const CHARACTERS_PER_LOOK = 1 << 12;

/**
 * Knows every string of a certain length that occurs in a text: one position for each, in a table that is
 * looked up by a rolling hash and then compared with the text itself, so that it is never wrong. It takes
 * 5 to 11 bytes for each character of the text.
 */
export class CopyGuard {
  readonly #text: NamedText["numbers"];
  /** The number in the text of each token; -1 where the text lacks it. */
  readonly #numberOf: Int32Array;
  readonly #vocabulary: Vocabulary;
  readonly #numbers: ReadonlyMap<number, number>;
  /** Positions in the text, from 1; 0: free. */
  readonly #table: Uint32Array;
  readonly #mask: number;

  private constructor(
    text: NamedText,
    vocabulary: Vocabulary,
    /** The longest passage that may be copied, in characters. */
    readonly most: number,
  ) {
    const numbers = new Map(text.codePoints.map((codePoint, number) => [codePoint, number]));
    this.#text = text.numbers;
    this.#numbers = numbers;
    this.#vocabulary = vocabulary;
    this.#numberOf = new Int32Array(vocabulary.size).fill(-1);
    for (const codePoint of vocabulary.codePoints()) {
      const token = vocabulary.indexOf(codePoint) as number;
      this.#numberOf[token] = numbers.get(codePoint) ?? -1;
    }
    const slots = slotsFor(text.numbers.length);
    this.#table = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /**
   * Against copies of more than `most` characters of a text.
   *
   * @throws the reason of `signal` when it is aborted
   */
  static async of(
    text: NamedText,
    vocabulary: Vocabulary,
    most: number,
    signal?: AbortSignal,
  ): Promise<CopyGuard> {
    refuseTooLarge({
      what: "--max-copy with this training text",
      bytes: 4 * slotsFor(text.numbers.length),
      hint: "Give a part of the text, or leave it out and look at the samples with charnn copies.",
    });
    const guard = new CopyGuard(text, vocabulary, most);
    await guard.#addAll(signal);
    return guard;
  }

  /**
   * What was written, for {@link mark}: the tokens of the last characters of a text, as many as matter.
   * Characters of the training text that the vocabulary does not know have separate numbers, from the
   * vocabulary's size on.
   */
  tokensOfEnd(written: string): number[] {
    const { size } = this.#vocabulary;
    // A character is at most two units of UTF-16.
    return Array.from(written.slice(-2 * this.most), (character) => {
      const codePoint = character.codePointAt(0) as number;
      const number = this.#numbers.get(codePoint);
      const own = this.#vocabulary.indexOf(codePoint);
      if (own !== undefined || number === undefined) {
        return own ?? (this.#vocabulary.tokenOf(codePoint) as number);
      }
      return size + number;
    });
  }

  /**
   * Marks the tokens that would make the end of what was written a copy of more than `most` characters.
   *
   * @param written tokens, or what {@link tokensOfEnd} gives, the last ones last; fewer than `most` can't be made too many
   * @param isCopy by token: overwritten by 1 or 0
   * @returns whether there is one that is no copy
   */
  mark(written: readonly number[], isCopy: Uint8Array): boolean {
    isCopy.fill(0);
    const { most } = this;
    if (written.length < most) return true;
    const { size, unknown } = this.#vocabulary;
    const before = written
      .slice(-most)
      .map((token) => (token < size ? this.#numberOf[token] : token - size));
    if (before.includes(-1)) return true;
    let hash = 0;
    for (const number of before) hash = Math.imul(hash, BASE) + number + 1;
    let allowed = 0;
    for (let token = 0; token < isCopy.length; token++) {
      const number = this.#numberOf[token];
      if (number >= 0) {
        const slot = this.#slotOf(Math.imul(hash, BASE) + number + 1, (i) => before[i] ?? number);
        isCopy[token] = this.#table[slot] > 0 ? 1 : 0;
      }
      // The unknown character is never written.
      if (token !== unknown) allowed += 1 - isCopy[token];
    }
    return allowed > 0;
  }

  async #addAll(signal: AbortSignal | undefined): Promise<void> {
    const turns = new Turns(signal);
    const text = this.#text;
    const length = this.most + 1;
    // The factor of the first character in the hash of this many.
    let oldest = 1;
    for (let i = 0; i < length; i++) oldest = Math.imul(oldest, BASE);
    let hash = 0;
    for (let end = 0; end < text.length; end++) {
      hash = Math.imul(hash, BASE) + text[end] + 1;
      const start = end - length + 1;
      if (start < 0) continue;
      if (start > 0) hash -= Math.imul(oldest, text[start - 1] + 1);
      this.#table[this.#slotOf(hash, (i) => text[start + i])] ||= start + 1;
      if (start % CHARACTERS_PER_LOOK === 0 && turns.isDue()) await turns.take();
    }
  }

  /** Where a string is in the table, or would be. */
  #slotOf(hash: number, numberAt: (i: number) => number): number {
    const table = this.#table;
    let mixed = Math.imul(hash, 0x9e3779b1);
    mixed ^= mixed >>> 15;
    let slot = mixed & this.#mask;
    while (table[slot] > 0 && !this.#isAt(table[slot] - 1, numberAt))
      slot = (slot + 1) & this.#mask;
    return slot;
  }

  #isAt(start: number, numberAt: (i: number) => number): boolean {
    for (let i = 0; i <= this.most; i++) if (this.#text[start + i] !== numberAt(i)) return false;
    return true;
  }
}

function slotsFor(characters: number): number {
  return 2 ** Math.ceil(Math.log2(1.25 * Math.max(characters, 2)));
}
