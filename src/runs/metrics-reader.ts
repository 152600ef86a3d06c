import { type FileHandle, open } from "node:fs/promises";
import { closeRead, thenCleanUp } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { type Line, linesOf } from "../files/read-lines.js";
import { notReadable } from "../system-errors.js";
import { formatCount } from "../text.js";
import { findReportedRun } from "./find-runs.js";
import { parseRecord } from "./metrics.js";
import { type Metrics, MetricsCollector } from "./metrics-collector.js";
import type { RunFolder } from "./run-folder.js";

/** Of the last line that was read, enough to tell whether the file is still the same one. */
const CHECKED_BYTES = 512;

/**
 * Reads what a run has reported, while it goes on too, see {@link MetricsReader}.
 *
 * @param run a run's name in `out`, its folder or a file in it; the newest that has reported a step when undefined
 * @throws CharnnError `NOT_FOUND` where there is no such run, or nothing of what it reported can be read, and
 *   `NOT_READABLE`
 */
export async function readMetrics(
  run: string | undefined,
  out: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Metrics> {
  const reader = new MetricsReader(await findReportedRun(run, out));
  await reader.read(signal);
  reader.refuseEmpty();
  return reader.metrics;
}

/** What a look at a run's metrics found. */
export interface MetricsNews {
  /** Lines that are new. */
  readonly added: number;
  /** Whether what was read before is gone, since another file is in its place. */
  readonly beganAgain: boolean;
}

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

  /**
   * Refuses a run that has nothing to show.
   *
   * @throws CharnnError `NOT_FOUND`
   */
  refuseEmpty(): void {
    if (!this.isEmpty) return;
    const reason = this.isDamaged ? "is damaged from its first line on" : "is empty";
    // Its checkpoints may be whole: nothing here may cost the run.
    const cure = this.isDamaged
      ? "Move that file away: what the run does after `resume` is reported in a new one."
      : "Wait for its first step, or continue the run by `resume`, which reports what follows.";
    throw new CharnnError(
      "NOT_FOUND",
      `The run ${this.run.name} has nothing to show: ${this.run.metrics} ${reason}.`,
      cure,
    );
  }

  /** Whether a run has reported nothing that can be read. */
  get isEmpty(): boolean {
    return this.#collector.isEmpty;
  }

  get isDamaged(): boolean {
    return this.#damaged !== undefined;
  }

  /**
   * Reads what was added since the look before.
   *
   * @throws CharnnError `NOT_FOUND` or `NOT_READABLE`, and the signal's reason once it is aborted; what was
   *   read before stays then
   */
  async read(signal?: AbortSignal): Promise<MetricsNews> {
    try {
      // The file is opened once: another one may replace it during the read.
      const file = await open(this.run.metrics, "r");
      return await thenCleanUp(
        () => this.#readFrom(file, signal),
        () => closeRead(file),
      );
    } catch (error) {
      throw signal?.aborted ? signal.reason : notReadable(this.run.metrics, error);
    }
  }

  async #readFrom(file: FileHandle, signal: AbortSignal | undefined): Promise<MetricsNews> {
    const isContinued = await this.#isContinued(file);
    const beganAgain = !isContinued && this.#offset > 0;
    if (!isContinued) this.#begin();
    const before = this.#lines;
    for await (const lines of linesOf(file, { from: this.#offset })) {
      let last: Line | undefined;
      for (const line of lines) if (this.#take(line)) last = line;
      if (last) {
        const bytes = Buffer.from((last.bytes ?? Buffer.alloc(0)).subarray(-CHECKED_BYTES));
        this.#checked = { bytes, at: last.end - Number(last.isWhole) - bytes.length };
      }
      signal?.throwIfAborted();
    }
    return { added: this.#lines - before, beganAgain };
  }

  /** Takes a line in; false for one that is being written. */
  #take({ bytes, end, isWhole }: Line): boolean {
    const isEndOfLast = this.#lacksEnd && isWhole && bytes?.length === 0;
    this.#lacksEnd &&= !isWhole;
    if (!isEndOfLast) {
      const record = this.#damaged === undefined ? parseRecord(bytes) : undefined;
      if (!isWhole && !record) return false;
      this.#lacksEnd = !isWhole;
      this.#lines++;
      if (record) this.#collector.add(record);
      else this.#damaged ??= this.#lines;
    }
    this.#offset = end;
    return !isEndOfLast;
  }

  /** Whether the file holds what was read of it, and perhaps more. */
  async #isContinued(file: FileHandle): Promise<boolean> {
    const { size } = await file.stat();
    if (size < this.#offset) return false;
    if (!this.#checked) return this.#offset > 0;
    const { bytes, at } = this.#checked;
    const { buffer } = await file.read(Buffer.alloc(bytes.length), 0, bytes.length, at);
    return buffer.equals(bytes);
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
    const which = `line ${formatCount(this.#damaged)} of ${formatCount(this.#lines)}`;
    return [`${this.run.metrics} is damaged at ${which}: only what stands before it is used.`];
  }
}
