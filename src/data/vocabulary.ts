import { CharnnError } from "../errors.js";
import { DOCUMENT_END, formatCount, NEWLINE } from "../text.js";
import { atOnce, inPieces, type Parts } from "../turns.js";
import { singleCodePoint } from "./characters.js";
import { REPLACEMENT } from "./decoder.js";
import { type LackingCharacter, unknownCharacters } from "./unknown-characters.js";

/** A text as indices into a vocabulary: one byte each while it has at most 256 entries, else two. */
export type Tokens = Uint8Array | Uint16Array;

/** Two-byte indices reach no further. */
export const MAX_VOCABULARY_SIZE = 65_536;

/** Characters of a long text that are encoded without a pause. */
const PART = 1 << 18;

/** The replacement character, which is shown for an unknown one. */
const UNKNOWN_CHARACTER = "\ufffd";

/** Room for `length` tokens of a vocabulary of `vocabularySize` entries, all 0. */
export function createTokens(vocabularySize: number, length: number): Tokens {
  return vocabularySize <= 256 ? new Uint8Array(length) : new Uint16Array(length);
}

/**
 * How often each entry of a vocabulary occurs.
 *
 * @throws the signal's reason once it is aborted
 */
export async function countTokens(
  tokens: Tokens,
  vocabularySize: number,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const counts = new Float64Array(vocabularySize);
  await inPieces(tokens.length, signal, (start, end) => {
    for (let position = start; position < end; position++) counts[tokens[position]]++;
  });
  return counts;
}

/** The characters a model knows: Unicode code points, sorted, each with its index from 0. */
export class Vocabulary {
  readonly #codePoints: Uint32Array;
  /** Index by code point, -1 where it is unknown. As long as the largest known code point needs. */
  readonly #indices: Int32Array;

  private constructor(
    sorted: Uint32Array,
    /** The index that stands for every other character, the last one; undefined where none does. */
    readonly unknown: number | undefined,
  ) {
    this.#codePoints = sorted;
    this.#indices = new Int32Array((sorted.at(-1) ?? -1) + 1).fill(-1);
    for (const [index, codePoint] of sorted.entries()) this.#indices[codePoint] = index;
  }

  /**
   * The vocabulary of these code points, in any order and as often as they come. More than 65,536
   * different ones are a {@link CharnnError} `BAD_TEXT`.
   *
   * @param unknown whether one more index stands for all other characters
   */
  static fromCodePoints(
    codePoints: Iterable<number>,
    { unknown = false }: { unknown?: boolean } = {},
  ): Vocabulary {
    const sorted = Uint32Array.from(new Set(codePoints)).sort();
    if (sorted.length + (unknown ? 1 : 0) > MAX_VOCABULARY_SIZE) throw tooManyCharacters();
    return new Vocabulary(sorted, unknown ? sorted.length : undefined);
  }

  /**
   * Reads back what {@link toJSON} gave: one-character strings, sorted by code point, each once, and null
   * at the end where an index stands for all other characters. An empty string in its place is {@link DOCUMENT_END}.
   * Anything else is a {@link CharnnError} `BAD_CHECKPOINT`.
   */
  static fromJSON(value: unknown): Vocabulary {
    if (!Array.isArray(value)) throw badVocabulary("it is not a list");
    if (value.length === 0) throw badVocabulary("it is empty");
    if (value.length > MAX_VOCABULARY_SIZE) {
      throw badVocabulary(`it has more than ${formatCount(MAX_VOCABULARY_SIZE)} entries`);
    }
    const hasUnknown = value.length > 1 && value.at(-1) === null;
    const characters = hasUnknown ? value.slice(0, -1) : value;
    const codePoints = new Uint32Array(characters.length);
    for (const [index, entry] of characters.entries()) {
      const codePoint = entry === "" ? DOCUMENT_END : singleCodePoint(entry);
      if (codePoint === undefined) throw badVocabulary(`entry ${index} is not one character`);
      if (index > 0 && codePoint <= codePoints[index - 1]) {
        throw badVocabulary(`entry ${index} is out of order`);
      }
      codePoints[index] = codePoint;
    }
    return new Vocabulary(codePoints, hasUnknown ? characters.length : undefined);
  }

  /** How many indices it has: one for each character, and one for all others where there is {@link unknown}. */
  get size(): number {
    return this.#codePoints.length + (this.unknown === undefined ? 0 : 1);
  }

  /** The index of the mark at the end of a piece of text; undefined where there is none. */
  get documentEnd(): number | undefined {
    return this.indexOf(DOCUMENT_END);
  }

  /** All known characters as code points, in index order; {@link DOCUMENT_END} among them where it is known. */
  codePoints(): Iterable<number> {
    return this.#codePoints.values();
  }

  /** The index of a code point, or undefined where it is unknown. */
  indexOf(codePoint: number): number | undefined {
    const index = this.#indices[codePoint];
    return index === -1 ? undefined : index;
  }

  /** The index by which a code point is read: its own, or else that of unknown ones; undefined for none. */
  tokenOf(codePoint: number): number | undefined {
    return this.indexOf(codePoint) ?? this.unknown;
  }

  /** Whether U+FFFD, which stands for wrong bytes, can be read. */
  get readsReplacement(): boolean {
    return this.tokenOf(REPLACEMENT) !== undefined;
  }

  /** The character at an index from 0 to `size` - 1; U+FFFD for the unknown one, nothing for the end of a piece. */
  characterAt(index: number): string {
    if (index === this.unknown) return UNKNOWN_CHARACTER;
    return written(this.#codePoints[index]);
  }

  /**
   * The tokens of a text. Characters the vocabulary lacks, half surrogate pairs among them, become its
   * unknown one, or are a {@link CharnnError} `UNKNOWN_CHARACTER` that names them and what could stand in their place.
   */
  encode(text: string): Tokens {
    return atOnce(this.encodeInParts(text));
  }

  /** As {@link encode}, for a text that may be long. */
  *encodeInParts(text: string): Parts<Tokens> {
    const tokens = createTokens(this.size, text.length);
    let length = 0;
    for (const character of text) {
      const codePoint = character.codePointAt(0) as number;
      const token = codePoint === DOCUMENT_END ? this.unknown : this.tokenOf(codePoint);
      if (token === undefined) throw yield* this.lackingIn(text);
      tokens[length++] = token;
      if (length % PART === 0) yield;
    }
    return tokens.subarray(0, length);
  }

  /**
   * The error for the characters of a text that the vocabulary lacks; there is at least one.
   *
   * @param options as `unknownCharacters` has them
   */
  *lackingIn(text: string, options?: { readonly withOtherWays?: boolean }): Parts<CharnnError> {
    const lacking = new Map<number, LackingCharacter>();
    let before: number | undefined;
    let [position, line, lineStart, first] = [0, 1, 0, ""];
    for (const character of text) {
      const codePoint = character.codePointAt(0) as number;
      const isLacking = codePoint === DOCUMENT_END || this.tokenOf(codePoint) === undefined;
      if (isLacking && !lacking.has(codePoint)) {
        first ||= `line ${line}, column ${position - lineStart + 1}`;
        lacking.set(codePoint, { codePoint, before });
      }
      before = codePoint;
      position++;
      if (codePoint === NEWLINE) [line, lineStart] = [line + 1, position];
      if (position % PART === 0) yield;
    }
    return unknownCharacters([...lacking.values()], first, this, options);
  }

  /** The text of tokens from 0 to `size` - 1. */
  decode(tokens: ArrayLike<number>): string {
    let text = "";
    for (let position = 0; position < tokens.length; position++) {
      text += this.characterAt(tokens[position]);
    }
    return text;
  }

  /** All characters in index order, as a checkpoint keeps them. */
  toJSON(): (string | null)[] {
    const characters = Array.from(this.#codePoints, written);
    return this.unknown === undefined ? characters : [...characters, null];
  }
}

function written(codePoint: number): string {
  return codePoint === DOCUMENT_END ? "" : String.fromCodePoint(codePoint);
}

/** The error for a text that two-byte indices can't hold. */
export function tooManyCharacters(): CharnnError {
  return new CharnnError(
    "BAD_TEXT",
    `The text has more than ${formatCount(MAX_VOCABULARY_SIZE)} different characters.`,
    "Is all of it text, and was it read in the right encoding? To read it in another one, use `encoding`.",
  );
}

function badVocabulary(reason: string): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", `The checkpoint's vocabulary can't be used: ${reason}.`);
}
