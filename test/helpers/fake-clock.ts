import type { TrainingEvent } from "#src/index.js";

/**
 * A clock for runs whose time is limited, by which all takes as long as a test says, whatever the machine
 * is doing.
 */
export class FakeClock {
  #seconds = 0;

  /** @param tick seconds that go by whenever somebody looks at the clock: so long a trial takes */
  constructor(private tick: number) {}

  readonly read = (): number => {
    this.#seconds += this.tick;
    return this.#seconds;
  };

  /** Seconds so far. */
  get seconds(): number {
    return this.#seconds;
  }

  advance(seconds: number): void {
    this.#seconds += seconds;
  }

  /** Lets what an event of a run stands for take its time; in the run itself only that goes by. */
  charge(event: TrainingEvent, costs: Partial<Record<TrainingEvent["event"], number>>): void {
    if (event.event === "start") this.tick = 0;
    this.advance(costs[event.event] ?? 0);
  }
}
