import type { TrainSettings } from "../config/train-settings.js";
import type { CharnnError } from "../errors.js";
import { isInUse } from "../in-use.js";
import { appendMetrics, type RunRecord } from "../runs/metrics.js";
import { version } from "../version.js";
import type { EvalEvent, SampleEvent, StepEvent, WarningEvent } from "./events.js";
import type { Run } from "./run.js";

type Reported = StepEvent | EvalEvent | SampleEvent;
type Line = Reported | RunRecord;

/** A process that was stopped for less has lost nothing. */
const MILLISECONDS_BETWEEN_CHECKS = 1_000;
/** Each attempt on a file that is in use takes two seconds. */
const MILLISECONDS_BETWEEN_ATTEMPTS = 20_000;

/** Writes what a run reports to its metrics. While another program has the file open, the lines wait. */
export class MetricsRecorder {
  readonly #run: Run;
  #waiting: Line[] = [];
  #settings: TrainSettings | undefined;
  #nextAttempt = Number.NEGATIVE_INFINITY;

  constructor(run: Run, settings: TrainSettings) {
    this.#run = run;
    this.#settings = settings;
  }

  /**
   * @returns a warning where the file is in use
   * @throws CharnnError for any other failure
   */
  async add(event: Reported): Promise<WarningEvent | undefined> {
    // Not before there is something to report, so that a run that reports nothing leaves nothing.
    if (this.#settings) this.#waiting.push(runRecord(this.#run, event, this.#settings));
    this.#settings = undefined;
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

/** How this process begins or resumes the run, whose first report this is. */
function runRecord(
  { selected: { backend } }: Run,
  { event, step }: Reported,
  settings: TrainSettings,
): RunRecord {
  return {
    event: "run",
    step: event === "step" ? step - 1 : step,
    date: new Date().toISOString(),
    version: version(),
    ...{ backend: backend.name, threads: backend.threads },
    settings: { ...settings, files: [...settings.files] } as unknown as RunRecord["settings"],
  };
}
