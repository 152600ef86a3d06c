import { NEWLINE } from "../data/reading.js";

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
  placeOf(position: number): { line: number; column: number } {
    // The last line that begins at it or before it.
    let [low, high] = [0, this.#lines - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#starts[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: position - this.#starts[low] + 1 };
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
