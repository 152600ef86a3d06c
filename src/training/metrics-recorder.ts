import type { CharnnError } from "../errors.js";
import { isInUse } from "../in-use.js";
import { appendMetrics } from "../runs/metrics.js";
import type { EvalEvent, SampleEvent, StepEvent, WarningEvent } from "./events.js";
import type { Run } from "./run.js";

type Reported = StepEvent | EvalEvent | SampleEvent;

/** A process that was stopped for less has lost nothing. */
const MILLISECONDS_BETWEEN_CHECKS = 1_000;
/** Each attempt on a file that is in use takes two seconds. */
const MILLISECONDS_BETWEEN_ATTEMPTS = 20_000;

/** Writes what a run reports to its metrics. While another program has the file open, the lines wait. */
export class MetricsRecorder {
  readonly #run: Run;
  #waiting: Reported[] = [];
  #nextAttempt = Number.NEGATIVE_INFINITY;

  constructor(run: Run) {
    this.#run = run;
  }

  /**
   * @returns a warning where the file is in use
   * @throws CharnnError for any other failure
   */
  async add(event: Reported): Promise<WarningEvent | undefined> {
    // After an explosion the steps since the last checkpoint are taken again, and reported again.
    if (event.event === "step") {
      this.#waiting = this.#waiting.filter(({ step }) => step < event.step);
    }
    this.#waiting.push(event);
    if (performance.now() < this.#nextAttempt) return undefined;
    try {
      await this.finish();
    } catch (error) {
      if (!isInUse(error)) {
        this.#waiting = [];
        throw error;
      }
      this.#nextAttempt = performance.now() + MILLISECONDS_BETWEEN_ATTEMPTS;
      const { message } = error as CharnnError;
      return {
        event: "warning",
        message: `${message} Training continues, and its lines are written when the file is closed.`,
      };
    }
    return undefined;
  }

  /**
   * Writes all that waits.
   *
   * @throws CharnnError `NOT_WRITABLE` also where the file is in use
   */
  async finish(): Promise<void> {
    for (let event = this.#waiting.at(0); event; event = this.#waiting.at(0)) {
      await this.#run.lock.check(MILLISECONDS_BETWEEN_CHECKS);
      await appendMetrics(this.#run.folder.metrics, event);
      this.#waiting.shift();
    }
  }
}
