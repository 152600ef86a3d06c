import type { TrainSettings } from "../config/train-settings.js";
import { appendMetrics, isRecorded } from "../runs/metrics.js";
import { eventFileRecorder } from "../tensorboard/recorder.js";
import type { EvalEvent, SampleEvent, StepEvent, TrainingEvent } from "./events.js";
import type { Run } from "./run.js";

/** Keeps what a run reports, in a form for others to read. */
type Recorder = (event: StepEvent | EvalEvent | SampleEvent) => Promise<void>;

/** A process that was stopped for less has lost nothing. */
const MILLISECONDS_BETWEEN_CHECKS = 1_000;

/** Yields the events of a run. What they report is written to the run's folder before. */
export async function* recorded(
  events: AsyncGenerator<TrainingEvent, void>,
  run: Run,
  { tensorboard = false }: TrainSettings,
): AsyncGenerator<TrainingEvent, void> {
  const recorders: Recorder[] = [metricsRecorder(run)];
  if (tensorboard) recorders.push(eventFileRecorder(run));
  for await (const event of events) {
    if (isRecorded(event)) for (const record of recorders) await record(event);
    yield event;
  }
}

function metricsRecorder({ folder, lock }: Run): Recorder {
  return async (event) => {
    await lock.check(MILLISECONDS_BETWEEN_CHECKS);
    await appendMetrics(folder.metrics, event);
  };
}
