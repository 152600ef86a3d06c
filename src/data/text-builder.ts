import { CharnnError } from "../errors.js";
import { refuseTooLarge } from "../memory.js";
import { formatCount, memorySize } from "../text.js";
import { inPieces } from "../turns.js";
import { createTokens, MAX_VOCABULARY_SIZE, type Tokens, tooManyCharacters } from "./vocabulary.js";

const CODE_POINTS = 0x11_0000;

/** A text as numbers, before there is a vocabulary: characters numbered as they first appeared. */
export interface NumberedText {
  readonly numbers: Tokens;
  /** The code point of each number. */
  readonly codePoints: readonly number[];
}

/**
 * Gathers a text that comes in chunks, in one byte per character, or in two once it has more than 256
 * different ones. More than 65,536 are a {@link CharnnError} `BAD_TEXT`.
 */
export class TextBuilder {
  #numbers: Tokens;
  #length = 0;
  readonly #codePoints: number[] = [];
  readonly #numberOf = new Int32Array(CODE_POINTS).fill(-1);

  /** `expected` is how many characters will come, as far as is known: it saves making room later. */
  constructor(expected: number) {
    this.#numbers = allocate(0, expected);
  }

  /** Characters so far. */
  get length(): number {
    return this.#length;
  }

  append(codePoints: Int32Array): void {
    this.#makeRoom(codePoints.length);
    const start = this.#length;
    const numberOf = this.#numberOf;
    let room = this.#numbers.subarray(start);
    for (let position = 0; position < codePoints.length; position++) {
      let number = numberOf[codePoints[position]];
      if (number === -1) {
        number = this.#addCharacter(codePoints[position], start + position);
        room = this.#numbers.subarray(start);
      }
      room[position] = number;
    }
    this.#length = start + codePoints.length;
  }

  /** The text so far. It shares memory with the builder, which must not be used after. */
  finish(): NumberedText {
    return { numbers: this.#numbers.subarray(0, this.#length), codePoints: this.#codePoints };
  }

  /** `length` is that of the text so far, with the characters of a chunk that is under way. */
  #addCharacter(codePoint: number, length: number): number {
    const number = this.#codePoints.length;
    if (number === MAX_VOCABULARY_SIZE) throw tooManyCharacters();
    if (number === 256) this.#moveTo(allocate(number + 1, this.#numbers.length), length);
    this.#codePoints.push(codePoint);
    this.#numberOf[codePoint] = number;
    return number;
  }

  #makeRoom(added: number): void {
    const needed = this.#length + added;
    if (needed <= this.#numbers.length) return;
    this.#moveTo(
      allocate(this.#codePoints.length, Math.max(needed, 2 * this.#numbers.length)),
      this.#length,
    );
  }

  #moveTo(numbers: Tokens, length: number): void {
    // No more than the text: memory that nothing was written to costs nothing.
    numbers.set(this.#numbers.subarray(0, length));
    this.#numbers = numbers;
  }
}

/** Bytes of memory that are left for a small model, and the share of the rest that a text may take. */
const BYTES_TO_WORK_WITH = 60e6;
const SHARE_FOR_PART = 0.5;

/** @throws CharnnError `OUT_OF_MEMORY` */
function allocate(vocabularySize: number, length: number): Tokens {
  const { BYTES_PER_ELEMENT: width } = createTokens(vocabularySize, 0);
  const what = `A text of ${formatCount(length)} characters`;
  refuseTooLarge({
    what,
    bytes: width * length,
    hint(left) {
      const bytes = Math.floor((SHARE_FOR_PART * (left - BYTES_TO_WORK_WITH)) / width / 1e6) * 1e6;
      if (bytes <= 0)
        return `Give it ${memorySize(width * length)} more, or use a part of the text.`;
      return `Use a part of it, such as its first ${bytes / 1e6} MB: head -c ${bytes} FILE`;
    },
  });
  try {
    return createTokens(vocabularySize, length);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `${what} does not fit into memory.`;
    throw new CharnnError("OUT_OF_MEMORY", message, "Use a part of it.", { cause });
  }
}

/**
 * Replaces each number by `indices[number]`, leaving out those where that is -1.
 *
 * @param into may be `numbers` itself, where it is as wide as the vocabulary asks for
 * @returns what of `into` is used
 * @throws the signal's reason once it is aborted
 */
export async function translate(
  numbers: Tokens,
  indices: Int32Array,
  into: Tokens,
  signal?: AbortSignal,
): Promise<Tokens> {
  let length = 0;
  await inPieces(numbers.length, signal, (start, end) => {
    for (let position = start; position < end; position++) {
      const index = indices[numbers[position]];
      if (index !== -1) into[length++] = index;
    }
  });
  return into.subarray(0, length);
}

/** In the memory of the numbers, which may be most of what there is, where they are as wide. */
export async function translateInPlace(
  numbers: Tokens,
  indices: Int32Array,
  vocabularySize: number,
  signal: AbortSignal | undefined,
): Promise<Tokens> {
  const { BYTES_PER_ELEMENT: width } = createTokens(vocabularySize, 0);
  const fits = numbers.BYTES_PER_ELEMENT === width;
  const room = fits ? numbers : createTokens(vocabularySize, numbers.length);
  return translate(numbers, indices, room, signal);
}
