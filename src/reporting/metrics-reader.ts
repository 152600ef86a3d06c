import { open, stat } from "node:fs/promises";
import { type Line, readLines } from "../checkpoint/read-lines.js";
import type { RunFolder } from "../checkpoint/run-folder.js";
import { thenCleanUp } from "../clean-up.js";
import { notReadable } from "../system-errors.js";
import { type Metrics, MetricsCollector } from "./metrics-collector.js";
import { reportOf } from "./reports.js";

/** Of the last line that was read, enough to tell whether the file is still the same one. */
const CHECKED_BYTES = 512;

/**
 * Reads what a run has reported in little memory, and on later looks only what is new. Where the file is
 * damaged, what comes before the damage is used; a last line that is cut is one that is being written.
 */
export class MetricsReader {
  #collector = new MetricsCollector();
  /** Where the next line begins. */
  #offset = 0;
  /** The end of the last line that was read, and where that is. */
  #checked: { readonly bytes: Buffer; readonly at: number } | undefined;
  /** Whether that line was taken before its line end was written. */
  #lacksEnd = false;
  #lines = 0;
  /** The number of the first line that is damaged. */
  #damaged: number | undefined;

  constructor(readonly run: RunFolder) {}

  /** All that was reported up to the last look. */
  get metrics(): Metrics {
    return this.#collector.metrics(this.run, this.#warnings());
  }

  get isDamaged(): boolean {
    return this.#damaged !== undefined;
  }

  /**
   * Reads what was added since the look before.
   *
   * @throws CharnnError `NOT_FOUND` or `NOT_READABLE`
   */
  async read(): Promise<void> {
    try {
      if (!(await this.#isContinued())) this.#begin();
      for await (const lines of readLines(this.run.metrics, { from: this.#offset })) {
        let last: Line | undefined;
        for (const line of lines) if (this.#take(line)) last = line;
        if (!last) continue;
        const bytes = Buffer.from((last.bytes ?? Buffer.alloc(0)).subarray(-CHECKED_BYTES));
        this.#checked = { bytes, at: last.end - Number(last.isWhole) - bytes.length };
      }
    } catch (error) {
      throw notReadable(this.run.metrics, error);
    }
  }

  /** Takes a line in; false for one that is being written. */
  #take({ bytes, end, isWhole }: Line): boolean {
    const isEndOfLast = this.#lacksEnd && isWhole && bytes?.length === 0;
    this.#lacksEnd &&= !isWhole;
    if (!isEndOfLast) {
      const report = this.#damaged === undefined ? reportOf(bytes) : undefined;
      if (!isWhole && !report) return false;
      this.#lacksEnd = !isWhole;
      this.#lines++;
      if (report) this.#collector.add(report);
      else this.#damaged ??= this.#lines;
    }
    this.#offset = end;
    return !isEndOfLast;
  }

  /** Whether the file holds what was read of it, and perhaps more. */
  async #isContinued(): Promise<boolean> {
    const { size } = await stat(this.run.metrics);
    if (size < this.#offset) return false;
    if (!this.#checked) return this.#offset > 0;
    const { bytes, at } = this.#checked;
    const file = await open(this.run.metrics, "r");
    return thenCleanUp(
      async () => {
        const { buffer } = await file.read(Buffer.alloc(bytes.length), 0, bytes.length, at);
        return buffer.equals(bytes);
      },
      () => file.close(),
    );
  }

  #begin(): void {
    this.#collector = new MetricsCollector();
    this.#offset = 0;
    this.#checked = undefined;
    this.#lacksEnd = false;
    this.#lines = 0;
    this.#damaged = undefined;
  }

  #warnings(): string[] {
    if (this.#damaged === undefined) return [];
    const which = `line ${count(this.#damaged)} of ${count(this.#lines)}`;
    return [`${this.run.metrics} is damaged at ${which}: only what stands before it is used.`];
  }
}

function count(value: number): string {
  return value.toLocaleString("en");
}
