import type { Clock } from "../clock.js";

/** What a run has taken so far in this process, as the clock shows it. */
export class Pace {
  readonly #clock: Clock;
  readonly #start: number;
  #mark: number;
  #firstStep = 0;
  #steps = 0;
  #stepSeconds = 0;
  #evaluations = 0;
  #evaluationSeconds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock();
    this.#mark = this.#start;
  }

  /** Seconds of training. */
  get seconds(): number {
    return this.#clock() - this.#start;
  }

  /** What was since the last call belongs to nothing that comes again. */
  pass(): void {
    this.#lap();
  }

  /** What was since the last call was a step. */
  addStep(): void {
    const seconds = this.#lap();
    // The first one makes the arrays.
    if (this.#steps === 0) this.#firstStep = seconds;
    this.#stepSeconds += seconds;
    this.#steps++;
  }

  /** What was since the last call was an evaluation. */
  addEvaluation(): void {
    this.#evaluationSeconds += this.#lap();
    this.#evaluations++;
  }

  /** What a step has taken, but for the first one where there are more; undefined before there is one. */
  get secondsPerStep(): number | undefined {
    if (this.#steps === 0) return undefined;
    return this.#steps > 1
      ? (this.#stepSeconds - this.#firstStep) / (this.#steps - 1)
      : this.#stepSeconds;
  }

  /** What an evaluation has taken, with its sample and checkpoints; undefined before there is one. */
  get secondsPerEvaluation(): number | undefined {
    return this.#evaluations > 0 ? this.#evaluationSeconds / this.#evaluations : undefined;
  }

  #lap(): number {
    const before = this.#mark;
    this.#mark = this.#clock();
    return this.#mark - before;
  }
}

/** How many seconds back the measured speed looks, about. */
const MEMORY_SECONDS = 5;

/** Characters per second, averaged so that older steps count for less and less. */
export class SpeedMeter {
  #characters = 0;
  #seconds = 0;

  add(characters: number, seconds: number): void {
    const kept = Math.exp(-seconds / MEMORY_SECONDS);
    this.#characters = this.#characters * kept + characters;
    this.#seconds = this.#seconds * kept + seconds;
  }

  get charsPerSecond(): number {
    return this.#characters / this.#seconds;
  }
}
