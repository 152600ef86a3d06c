import type { Clock } from "../clock.js";
import type { Limits, Progress } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Speed } from "../planning/forecast.js";
import {
  secondsToMeasure,
  secondsToMeasureLater,
  secondsToTry,
  stepsFor,
  stepsLeftAfterMeasuring,
} from "../planning/forecast.js";
import { stepsWithin } from "../planning/limits.js";
import { speedOf } from "../planning/run-length.js";
import { measureEvaluation } from "../planning/trial.js";
import type { ReplanEvent, TrainingEvent } from "./events.js";
import { leading } from "./lead.js";
import type { SaveAge } from "./progress.js";
import type { Run } from "./run.js";
import { endReached } from "./run-end.js";

/** However long a step takes, no more than this and a step is lost when the process is killed. */
const SECONDS_BETWEEN_SAVES = 300;
/** About the part of a limited time that saving takes, where the user has not said when to save. */
const FOR_SAVES = 0.01;
/** How many seconds back the measured speed looks, about. */
const MEMORY_SECONDS = 5;

interface Replanned {
  readonly isNoted: boolean;
  readonly event: ReplanEvent | undefined;
}

/** What the clock decides of a run: when it saves, and how many steps fit into its time. */
export class Timekeeper {
  readonly #run: Run;
  readonly #meter = new SpeedMeter();
  #speed: Speed;
  /** Since the speed was last measured. */
  #pace: Pace;
  #savedAt: number;
  #secondsPerSave = 0;
  readonly #saves = { seconds: 0, steps: 0 };
  /** Whether saves may wait, so that they take a small part of a limited time: between evaluations ... */
  readonly #maySaveLater: boolean;
  /** ... and after them too. */
  readonly #mayWait: boolean;

  constructor(run: Run, { saveEvery, keep = TRAIN_DEFAULTS.keep }: TrainSettings) {
    this.#run = run;
    // A run that may go back to its last checkpoint goes the same way again where no clock decides when that is saved.
    this.#maySaveLater = saveEvery === undefined && run.config.limits.maxTime !== undefined;
    this.#mayWait = this.#maySaveLater && keep === 0;
    this.#speed = run.speed;
    this.#pace = new Pace(run.clock);
    this.#savedAt = run.clock();
  }

  /** As it was last measured. */
  get speed(): Speed {
    return this.#speed;
  }

  /** Characters trained per second, over the last few seconds. */
  get charsPerSecond(): number {
    return this.#meter.charsPerSecond;
  }

  /** @param start what the clock showed before the step */
  noteTrained(characters: number, start: number): void {
    this.#meter.add(characters, this.#run.clock() - start);
  }

  /** The time since the last note went to a step. */
  noteStep(): void {
    this.#pace.addStep();
    this.#saves.steps++;
  }

  /** The time since the last note went to an evaluation, but for what it saves. */
  noteEvaluation(): void {
    this.#pace.addEvaluation();
  }

  /** Notes what a save takes. */
  async *saving(events: AsyncIterable<TrainingEvent>): AsyncGenerator<TrainingEvent, void> {
    const start = this.#run.clock();
    yield* events;
    this.#pace.lap();
    this.#savedAt = this.#run.clock();
    this.#secondsPerSave = this.#savedAt - start;
    this.#saves.seconds += this.#secondsPerSave;
  }

  /** Whether the last checkpoint is so old that the next can't wait, for an evaluation either, or so new that it may. */
  saveAge(isEvaluationDue: boolean): SaveAge {
    const evaluation = this.#pace.secondsPerEvaluation ?? this.#speed.secondsPerEvaluation;
    const untilSave = isEvaluationDue ? evaluation : 0;
    const age = this.#run.clock() - this.#savedAt;
    return {
      isLate: age + untilSave >= SECONDS_BETWEEN_SAVES,
      isEarly: this.#maySaveLater && this.#isSavedLately,
    };
  }

  /** Whether what was evaluated may wait for the next save. */
  get mayWait(): boolean {
    return this.#mayWait && this.#isSavedLately;
  }

  get #isSavedLately(): boolean {
    return FOR_SAVES * (this.#run.clock() - this.#savedAt) < this.#secondsPerSave;
  }

  /**
   * Whether the speed of a run whose time is limited is to be measured again: early in the run, and some
   * times later, since other programs may slow the machine down at any time.
   */
  isReplanDue(): boolean {
    const { progress, config, clock } = this.#run;
    const { maxTime } = config.limits;
    if (maxTime === undefined || progress.badSteps > 0) return false;
    if (endReached(this.#run)) return false;
    const last = progress.replan.at(-1);
    const { seconds, secondsPerEvaluation } = this.#pace;
    const left = maxTime - (clock() - seconds);
    if (!last) return seconds >= secondsToMeasure(left, secondsPerEvaluation !== undefined);
    // A run that has gone back takes the steps up to its last change as it took them before.
    return progress.step > last.step && seconds >= secondsToMeasureLater(left, maxTime);
  }

  /**
   * Changes the number of steps where the run would end too early or too late, and notes in its progress what
   * it was. That it was looked at once is noted too.
   *
   * @returns whether the progress notes it, and what to report where the number was changed
   * @throws the reason of the signal when it is aborted
   */
  async replan(signal: AbortSignal | undefined): Promise<Replanned> {
    const { progress, config, clock } = this.#run;
    const { step, totalSteps: before = step } = progress;
    const isFirst = progress.replan.length === 0;
    const maxTime = config.limits.maxTime as number;
    const speed = await this.#measuredSpeed(maxTime, isFirst, signal);
    const totalSteps = await this.#stepsAt(speed, maxTime, signal);
    const isChanged = totalSteps !== before;
    if (isFirst || isChanged) progress.replan = [...progress.replan, { step, totalSteps: before }];
    progress.totalSteps = totalSteps;
    this.#speed = speed;
    this.#pace = new Pace(clock);
    const isNoted = isFirst || isChanged;
    if (!isChanged) return { isNoted, event: undefined };
    return { isNoted, event: { event: "replan", step, before, totalSteps, seconds: clock() } };
  }

  /** What steps and evaluations have taken; before there was an evaluation, what a trial of one takes. */
  async #measuredSpeed(
    maxTime: number,
    isFirst: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Speed> {
    const { members, config, corpus, clock, ranks } = this.#run;
    const [{ evalModel }] = members;
    const { secondsPerStep = this.#speed.secondsPerStep, secondsPerEvaluation } = this.#pace;
    let speed: Speed;
    if (isFirst) {
      const seconds = secondsToTry(maxTime - clock());
      const options = { signal, clock, seconds, rankZero: leading(ranks) };
      const costs = await measureEvaluation(evalModel, config, corpus, options);
      const { secondsToExchange: exchange } = this.#speed;
      speed = speedOf(config, { step: secondsPerStep, exchange, ...costs }, maxTime - clock());
    } else {
      speed = slowed(this.#speed, secondsPerStep / this.#speed.secondsPerStep);
    }
    return { ...speed, secondsPerEvaluation: secondsPerEvaluation ?? speed.secondsPerEvaluation };
  }

  /** The number of steps that the run should have: as planned, unless it would end too early or too late. */
  async #stepsAt(speed: Speed, maxTime: number, signal: AbortSignal | undefined): Promise<number> {
    const { config, batches, progress, clock } = this.#run;
    const { evalEvery } = config.training;
    const { step, totalSteps = step } = progress;
    const now = clock();
    const forSaves = this.#secondsToSave(speed);
    const withSaves = { ...speed, secondsPerStep: speed.secondsPerStep + forSaves };
    const inTime = step + stepsFor(maxTime - now, withSaves, evalEvery, 0);
    const within = (await stepsWithin(config, batches, inTime, signal)) as number;
    const steps = { planned: totalSteps - step, fitting: within - step };
    return step + stepsLeftAfterMeasuring(steps, { now, maxTime }, withSaves, evalEvery);
  }

  /** What saving has taken for each step so far, and will take. */
  #secondsToSave({ secondsPerStep }: Speed): number {
    const { seconds, steps } = this.#saves;
    const perStep = steps > 0 ? seconds / steps : 0;
    return this.#mayWait ? Math.min(perStep, FOR_SAVES * secondsPerStep) : perStep;
  }
}

/** Everything slower by a factor, as when other programs use the machine too. */
function slowed(speed: Speed, factor: number): Speed {
  return {
    secondsPerStep: factor * speed.secondsPerStep,
    secondsToExchange: factor * speed.secondsToExchange,
    secondsPerEvaluation: factor * speed.secondsPerEvaluation,
    // The part of the time that is kept for it.
    secondsAtEnd: speed.secondsAtEnd,
    secondsPerCharacter: factor * speed.secondsPerCharacter,
  };
}

/** The changes that a run with these limits will make, as its progress notes them. */
export function plannedChanges({ steps = 0, replan = [] }: Limits): Progress["replan"] {
  return replan.map(({ step }, k) => ({ step, totalSteps: replan[k - 1]?.steps ?? steps }));
}

/** What a run has taken so far in this process, as the clock shows it. */
class Pace {
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

  /** Seconds since the last call; they count as a step or an evaluation where one of the calls below asks. */
  lap(): number {
    const before = this.#mark;
    this.#mark = this.#clock();
    return this.#mark - before;
  }

  /** What was since the last call was a step. */
  addStep(): void {
    const seconds = this.lap();
    // The first one makes the arrays.
    if (this.#steps === 0) this.#firstStep = seconds;
    this.#stepSeconds += seconds;
    this.#steps++;
  }

  /** What was since the last call was an evaluation. */
  addEvaluation(): void {
    this.#evaluationSeconds += this.lap();
    this.#evaluations++;
  }

  /** What a step has taken, but for the first one where there are more; undefined before there is one. */
  get secondsPerStep(): number | undefined {
    if (this.#steps === 0) return undefined;
    return this.#steps > 1
      ? (this.#stepSeconds - this.#firstStep) / (this.#steps - 1)
      : this.#stepSeconds;
  }

  /** What an evaluation has taken, with its sample; undefined before there is one. */
  get secondsPerEvaluation(): number | undefined {
    return this.#evaluations > 0 ? this.#evaluationSeconds / this.#evaluations : undefined;
  }
}

/** Characters per second, averaged so that older steps count for less and less. */
class SpeedMeter {
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
