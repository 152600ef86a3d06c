import type { NamedText } from "../data/texts.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { refuseTooLarge } from "../memory.js";
import { Turns } from "../turns.js";
import { GramSet } from "./gram-set.js";

/** Characters that are added between two looks at the clock. */
const CHARACTERS_PER_LOOK = 1 << 12;

/** Knows every string of a certain length that occurs in a text; it takes 6 to 13 bytes for each character. */
export class CopyGuard {
  /** The number in the text of each token; -1 where the text lacks it. */
  readonly #numberOf: Int32Array;
  readonly #vocabulary: Vocabulary;
  readonly #numbers: ReadonlyMap<number, number>;
  readonly #strings: GramSet;
  /** The numbers of the last characters, for {@link mark} alone. */
  readonly #before: Int32Array;

  private constructor(
    text: NamedText,
    vocabulary: Vocabulary,
    /** The longest passage that may be copied, in characters. */
    readonly most: number,
  ) {
    const numbers = new Map(text.codePoints.map((codePoint, number) => [codePoint, number]));
    this.#numbers = numbers;
    this.#vocabulary = vocabulary;
    this.#numberOf = new Int32Array(vocabulary.size).fill(-1);
    for (const codePoint of vocabulary.codePoints()) {
      const token = vocabulary.indexOf(codePoint) as number;
      this.#numberOf[token] = numbers.get(codePoint) ?? -1;
    }
    this.#strings = new GramSet(most + 1, text.numbers);
    this.#before = new Int32Array(most);
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
    const { length } = text.numbers;
    refuseTooLarge({
      what: "`maxCopy` with this training text",
      bytes: GramSet.bytesFor(length),
      hint: "Give a part of the text, or leave it out and look at the samples with charnn copies.",
    });
    const guard = new CopyGuard(text, vocabulary, most);
    const turns = new Turns(signal);
    for (let position = 0; position < length; position++) {
      guard.#strings.addNext();
      if (position % CHARACTERS_PER_LOOK === 0 && turns.isDue()) await turns.take();
    }
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
   * @param isCopy by token: set to 1 for these, unchanged for all others
   */
  mark(written: readonly number[], isCopy: Uint8Array): void {
    const { most } = this;
    if (written.length < most) return;
    const { size } = this.#vocabulary;
    const before = this.#before;
    for (let i = 0; i < most; i++) {
      const token = written[written.length - most + i];
      before[i] = token < size ? this.#numberOf[token] : token - size;
      if (before[i] === -1) return;
    }
    const occurs = this.#strings.lookUp(before);
    for (let token = 0; token < isCopy.length; token++) {
      const number = this.#numberOf[token];
      if (number >= 0 && occurs(number)) isCopy[token] = 1;
    }
  }
}
