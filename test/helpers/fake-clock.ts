import type { TrainingEvent } from "#src/index.js";

/**
 * A clock for runs whose time is limited: everything takes as long as a test says, no matter what the machine is
 * doing.
 */
export class FakeClock {
  #seconds = 0;

  /** @param tick seconds that pass whenever somebody looks at the clock; this is how long a trial takes */
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

  /** Lets the time pass that the work behind an event takes; no other time passes during the run. */
  charge(event: TrainingEvent, costs: Partial<Record<TrainingEvent["event"], number>>): void {
    if (event.event === "start") this.tick = 0;
    this.advance(costs[event.event] ?? 0);
  }
}
