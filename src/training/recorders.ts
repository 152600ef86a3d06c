import { cleanUpAfter } from "../clean-up.js";
import type { TrainSettings } from "../config/train-settings.js";
import { isRecorded } from "../runs/metrics.js";
import { EventFileRecorder } from "../tensorboard/recorder.js";
import type { TrainingEvent, WarningEvent } from "./events.js";
import { MetricsRecorder } from "./metrics-recorder.js";
import type { Run } from "./run.js";

type Recorder = MetricsRecorder | EventFileRecorder;

/** Yields the events of a run. What they report is written to the run's folder before. */
export async function* recorded(
  events: AsyncGenerator<TrainingEvent, void>,
  run: Run,
  settings: TrainSettings,
): AsyncGenerator<TrainingEvent, void> {
  const metrics = new MetricsRecorder(run, settings);
  const eventFile = settings.tensorboard ? new EventFileRecorder(run) : undefined;
  yield* cleanUpAfter(
    recordedBy(eventFile ? [metrics, eventFile] : [metrics], events),
    () => metrics.finish(),
    () => eventFile?.finish(),
  );
}

async function* recordedBy(
  recorders: readonly Recorder[],
  events: AsyncGenerator<TrainingEvent, void>,
): AsyncGenerator<TrainingEvent, void> {
  for await (const event of events) {
    if (isRecorded(event)) {
      const warnings: WarningEvent[] = [];
      for (const recorder of recorders) {
        const error = await recorder.add(event);
        if (error) warnings.push(inUseWarning(error));
      }
      yield* warnings;
    }
    yield event;
  }
}

function inUseWarning({ message }: Error): WarningEvent {
  const then = "Training continues, and what the file lacks is written when it is closed.";
  return { event: "warning", message: `${message} ${then}` };
}
