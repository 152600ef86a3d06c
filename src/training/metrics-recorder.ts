import { Backlog } from "../backlog.js";
import type { TrainSettings } from "../config/train-settings.js";
import { appendMetrics, type RunRecord } from "../runs/metrics.js";
import { version } from "../version.js";
import type { EvalEvent, SampleEvent, StepEvent } from "./events.js";
import type { Run } from "./run.js";

type Reported = StepEvent | EvalEvent | SampleEvent;
type Line = Reported | RunRecord;

/** A process that was stopped for less has lost nothing. */
const MILLISECONDS_BETWEEN_CHECKS = 1_000;

/** Writes what a run reports to its metrics. While another program has the file open, the lines wait. */
export class MetricsRecorder {
  readonly #run: Run;
  readonly #lines: Backlog<Line>;
  #settings: TrainSettings | undefined;

  constructor(run: Run, settings: TrainSettings) {
    this.#run = run;
    this.#lines = new Backlog(async (line) => {
      await run.lock.check(MILLISECONDS_BETWEEN_CHECKS);
      await appendMetrics(run.folder.metrics, line);
    });
    this.#settings = settings;
  }

  /**
   * @returns the error where the file is in use
   * @throws CharnnError for any other failure
   */
  async add(event: Reported): Promise<Error | undefined> {
    // Not before there is something to report, so that a run that reports nothing leaves nothing.
    const begun = this.#settings ? [runRecord(this.#run, event, this.#settings)] : [];
    this.#settings = undefined;
    // After an explosion the steps since the last checkpoint are taken again, and reported again.
    if (event.event === "step") this.#lines.keep(({ step }) => step < event.step);
    return this.#lines.add([...begun, event]);
  }

  /**
   * Writes all that waits.
   *
   * @throws CharnnError `NOT_WRITABLE` also where the file is in use
   */
  async finish(): Promise<void> {
    await this.#lines.finish();
  }
}

/** How this process begins or resumes the run, whose first report this is. */
function runRecord(
  { selected: { backend }, folder }: Run,
  { event, step }: Reported,
  settings: TrainSettings,
): RunRecord {
  return {
    event: "run",
    step: event === "step" ? step - 1 : step,
    name: folder.name,
    date: new Date().toISOString(),
    version: version(),
    ...{ backend: backend.name, threads: backend.threads },
    settings: { ...settings, files: [...settings.files] } as unknown as RunRecord["settings"],
  };
}
