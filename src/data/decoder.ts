/** What the decoders of all encodings have in common. */

import type { CharnnError } from "../errors.js";
import { NEWLINE } from "../text.js";
import { type Fault, lossesOf } from "./decoding-messages.js";

/** What stands for bytes that are wrong. */
export const REPLACEMENT = 0xfffd;

/** What to do with bytes that are wrong in the encoding: refuse them, put U+FFFD in their place, or leave them out. */
export type Invalid = "error" | "replace" | "skip";

/** Decodes one file, or the standard input. */
export interface Decoder {
  /**
   * The code points that end within the next bytes, in an array that the next call uses again.
   * With `"error"`, bytes that are wrong in the encoding are a {@link CharnnError} `BAD_TEXT`.
   */
  decode(bytes: Uint8Array): Int32Array;
  /** Must follow the last bytes: what was still held back, or the error that a character is cut. */
  end(): Int32Array;
  /** Plain sentences, when all is decoded: what was wrong, and what makes the encoding doubtful. */
  warnings(): string[];
}

/** The code points so far, and what was wrong. */
export abstract class FaultyDecoder {
  protected codePoints = new Int32Array(0);
  /** How many code points of this call are there. */
  protected count = 0;
  /** Bytes before those of this call. */
  protected offset = 0;
  protected isOver = false;
  readonly #lines = new LineCounter();
  protected faults = 0;
  /** The first of them. */
  protected fault: Fault | undefined;

  constructor(
    readonly source: string,
    readonly invalid: Invalid,
    /** Whether U+FFFD can be read, so that `"replace"` helps. */
    readonly canReplace: boolean,
  ) {}

  /** Room for the code points of a call. */
  protected begin(most: number): void {
    if (this.codePoints.length < most) this.codePoints = new Int32Array(most);
    this.count = 0;
  }

  /** Notes bytes that are wrong, of which the first is `byte`. */
  protected addFault(byte: number | undefined, offset: number): void {
    if (this.faults++ === 0) {
      const position = this.#lines.positionAfter(this.codePoints.subarray(0, this.count));
      this.fault = { byte, offset, ...position };
    }
    if (this.invalid === "replace") this.codePoints[this.count++] = REPLACEMENT;
  }

  /** @throws CharnnError where something was wrong and that is not allowed */
  protected finish(bytes: number): Int32Array {
    this.offset += bytes;
    if (this.fault && this.invalid === "error") throw this.refusal(this.fault);
    const decoded = this.codePoints.subarray(0, this.count);
    if (!this.fault) this.#lines.read(decoded);
    return decoded;
  }

  warnings(): string[] {
    if (!this.fault || this.invalid === "error") return [];
    return [lossesOf(this.source, this.faults, this.fault, this.invalid)];
  }

  protected abstract refusal(fault: Fault): CharnnError;
}

const CARRIAGE_RETURN = 0x0d;

/** Counts lines and columns, from 1; lines end at LF, CR LF, or CR. */
class LineCounter {
  #line = 1;
  /** Characters of the last line. */
  #column = 0;
  #last = 0;

  /** Counts the characters that follow those before. */
  read(codePoints: Int32Array): void {
    const { length } = codePoints;
    if (length === 0) return;
    let line = this.#line;
    let start = -this.#column;
    for (let position = 0; position < length; position++) {
      const codePoint = codePoints[position];
      if (codePoint > CARRIAGE_RETURN) continue;
      if (codePoint === CARRIAGE_RETURN) {
        line++;
        start = position + 1;
      } else if (codePoint === NEWLINE) {
        const before = position > 0 ? codePoints[position - 1] : this.#last;
        if (before !== CARRIAGE_RETURN) line++;
        start = position + 1;
      }
    }
    this.#line = line;
    this.#column = length - start;
    this.#last = codePoints[length - 1];
  }

  /** Line and column of the character that comes after these, which are not counted yet. */
  positionAfter(codePoints: Int32Array): { line: number; column: number } {
    const after = new LineCounter();
    after.#line = this.#line;
    after.#column = this.#column;
    after.#last = this.#last;
    after.read(codePoints);
    return { line: after.#line, column: after.#column + 1 };
  }
}
