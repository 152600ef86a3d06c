import { appendFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { EVENT_FILE_PREFIX } from "../checkpoint/run-folder.js";
import { notWritable } from "../system-errors.js";
import { encodeEvent, type Summary, type TensorBoardEvent } from "./events.js";
import { encodeRecord } from "./records.js";

/** Of the format; TensorBoard then asks no more of how a process begins. */
const FILE_VERSION = "brain.Event:2";

/** A file of events in a folder, made when the first is written. */
export class EventFile {
  readonly #path: string;
  #isThere = false;
  /** Where the steps begin that are yet to be told; undefined when that has been said. */
  #firstStep: number | undefined;

  /** @param firstStep what earlier files tell of this step and later ones is void */
  constructor(folder: string, firstStep: number) {
    this.#firstStep = firstStep;
    // In the order of their names files are in that of their times.
    const time = Date.now();
    this.#path = join(folder, `${EVENT_FILE_PREFIX}.${time}.${hostname()}.${process.pid}`);
  }

  /** Makes void what was told of a step and of later ones, as they are taken again. */
  goBackTo(step: number): void {
    this.#firstStep = step;
  }

  /**
   * Adds what there is to tell of a step.
   *
   * @throws CharnnError `NOT_WRITABLE`
   */
  async add(step: number, summaries: readonly Summary[]): Promise<void> {
    const wallTime = Date.now() / 1e3;
    const events: TensorBoardEvent[] = [];
    if (!this.#isThere) events.push({ wallTime, step: 0, fileVersion: FILE_VERSION });
    if (this.#firstStep !== undefined) {
      events.push({ wallTime, step: this.#firstStep, begins: true });
    }
    events.push({ wallTime, step, summaries });
    try {
      await appendFile(this.#path, Buffer.concat(events.map(encodeEvent).map(encodeRecord)));
    } catch (error) {
      throw notWritable(this.#path, error);
    }
    this.#isThere = true;
    this.#firstStep = undefined;
  }
}
