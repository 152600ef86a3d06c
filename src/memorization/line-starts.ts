import { lastAtMost } from "../arrays.js";
import { NEWLINE } from "../text.js";

/** Knows where the lines of a text begin that it is shown piece by piece. */
export class LineStarts {
  #starts = new Float64Array(1_024);
  #lines = 1;
  #length = 0;

  /** Characters so far. */
  get length(): number {
    return this.#length;
  }

  read(codePoints: Int32Array): void {
    for (let i = 0; i < codePoints.length; i++) {
      if (codePoints[i] === NEWLINE) this.#add(this.#length + i + 1);
    }
    this.#length += codePoints.length;
  }

  /** Line and column of a position, from 1. */
  lineAndColumn(position: number): { line: number; column: number } {
    const line = lastAtMost(this.#starts.subarray(0, this.#lines), position);
    return { line: line + 1, column: position - this.#starts[line] + 1 };
  }

  #add(start: number): void {
    if (this.#lines === this.#starts.length) {
      const larger = new Float64Array(2 * this.#lines);
      larger.set(this.#starts);
      this.#starts = larger;
    }
    this.#starts[this.#lines++] = start;
  }
}
