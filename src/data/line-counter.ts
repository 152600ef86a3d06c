import { NEWLINE } from "../text.js";

const CARRIAGE_RETURN = 0x0d;

/** Counts lines and columns, from 1; lines end at LF, CR LF, or CR. */
export class LineCounter {
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
