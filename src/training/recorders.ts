import { cleanUpAfter } from "../clean-up.js";
import type { TrainSettings } from "../config/train-settings.js";
import { isRecorded } from "../runs/metrics.js";
import { eventFileRecorder } from "../tensorboard/recorder.js";
import type { TrainingEvent } from "./events.js";
import { MetricsRecorder } from "./metrics-recorder.js";
import type { Run } from "./run.js";

/** Yields the events of a run. What they report is written to the run's folder before. */
export async function* recorded(
  events: AsyncGenerator<TrainingEvent, void>,
  run: Run,
  settings: TrainSettings,
): AsyncGenerator<TrainingEvent, void> {
  const metrics = new MetricsRecorder(run, settings);
  yield* cleanUpAfter(recordedBy(metrics, events, run, settings), () => metrics.finish());
}

async function* recordedBy(
  metrics: MetricsRecorder,
  events: AsyncGenerator<TrainingEvent, void>,
  run: Run,
  { tensorboard = false }: TrainSettings,
): AsyncGenerator<TrainingEvent, void> {
  const toTensorBoard = tensorboard ? eventFileRecorder(run) : undefined;
  for await (const event of events) {
    if (isRecorded(event)) {
      const warning = await metrics.add(event);
      await toTensorBoard?.(event);
      if (warning) yield warning;
    }
    yield event;
  }
}
