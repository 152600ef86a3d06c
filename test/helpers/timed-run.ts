import { type TrainingEvent, type TrainSettings, train } from "#src/index.js";
import { FakeClock } from "./fake-clock.js";

type Costs = Parameters<FakeClock["charge"]>[1];

interface Timing {
  /** Seconds that each thing takes in the trial. */
  readonly tick?: number;
  /** Seconds that are gone when the run is opened. */
  readonly before?: number;
  /** The process is killed after this event. */
  readonly killAt?: (event: TrainingEvent) => boolean;
}

/** Trains by a clock on which events take what `costs` says. */
export async function timed(
  settings: TrainSettings,
  costs: Costs | ((seconds: number) => Costs),
  { tick = 0.01, before = 0, killAt }: Timing = {},
): Promise<{ events: TrainingEvent[]; seconds: number }> {
  const clock = new FakeClock(tick);
  clock.advance(before);
  const events: TrainingEvent[] = [];
  for await (const event of train(settings, { clock: clock.read })) {
    events.push(event);
    clock.charge(event, typeof costs === "function" ? costs(clock.seconds) : costs);
    if (killAt?.(event)) break;
  }
  return { events, seconds: clock.seconds };
}
