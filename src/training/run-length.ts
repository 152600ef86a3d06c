import type { RunConfig } from "../config/run.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import type { EvaluationPace, Speed } from "./forecast.js";
import { stepsWithin } from "./limits.js";
import { fittedTo } from "./new-config.js";
import type { Run } from "./run.js";
import {
  charactersToScore,
  secondsKeptForEnd,
  secondsToTry,
  stepsFor,
  stepsLeftAfterMeasuring,
} from "./time-plan.js";
import {
  type Costs,
  measureCosts,
  measureEvaluation,
  secondsToScore,
  type TrialOptions,
} from "./trial.js";

/** Checkpoints that an evaluation writes at most, but for those that `keep` asks for. */
const CHECKPOINTS_PER_EVALUATION = 2;
/** A trial without dropout, and where that turns out to be used another one with it. */
const MOST_TRIALS = 2;

/** How long a run goes on, and what decides it. */
export interface RunLength {
  /** With what depends on the length, and with what evaluations score. */
  readonly config: RunConfig;
  /** Undefined where losses alone decide. */
  readonly totalSteps: number | undefined;
  readonly speed: Speed;
}

/**
 * Decides how long a new run goes on: by its limits, that of time turned into steps by a short trial.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function lengthOfNewRun(
  planned: RunConfig,
  settings: TrainSettings,
  corpus: Corpus,
  batches: Batches,
  options: TrialOptions,
): Promise<RunLength> {
  const { maxTime, replan } = planned.limits;
  if (maxTime === undefined) {
    const totalSteps = await stepsWithin(planned, batches, undefined, options.signal);
    // A run that is repeated was fitted before its number of steps was changed.
    const config = fittedTo(planned, settings, replan ? planned.limits.steps : totalSteps);
    const costs = await measureCosts(config, corpus, batches, options);
    return { config, totalSteps, speed: speedOf(config, costs) };
  }
  const pace = await paceOf(planned, batches, 0, options.signal);
  let config = planned;
  for (let trial = 1; ; trial++) {
    const seconds = secondsToTry(maxTime - options.clock());
    const costs = await measureCosts(config, corpus, batches, { ...options, seconds });
    const left = maxTime - options.clock();
    const evalCharacters =
      settings.evalCharacters ??
      charactersToScore(left, planned.text.validationCharacters, wholeCosts(planned, costs), pace);
    const training = { ...planned.training, evalCharacters };
    const speed = speedOf({ ...planned, training }, costs, left);
    const inTime = stepsFor(left, speed, pace);
    const totalSteps = await stepsWithin(planned, batches, inTime, options.signal);
    const fitted = fittedTo({ ...planned, training }, settings, totalSteps);
    if (trial === MOST_TRIALS || dropsTheSame(fitted, config)) {
      return { config: fitted, totalSteps, speed };
    }
    config = fitted;
  }
}

/**
 * The same of a run that goes on.
 *
 * @param step the steps it has taken
 * @param areNew whether its limits were changed; otherwise `totalSteps` stays what it is
 */
export async function lengthOfRun(
  config: RunConfig,
  corpus: Corpus,
  batches: Batches,
  { step, totalSteps }: { readonly step: number; readonly totalSteps?: number | undefined },
  areNew: boolean,
  options: TrialOptions,
): Promise<Omit<RunLength, "config">> {
  const { maxTime } = config.limits;
  const seconds = maxTime === undefined ? undefined : secondsToTry(maxTime - options.clock());
  const costs = await measureCosts(config, corpus, batches, { ...options, seconds });
  if (maxTime === undefined) {
    const speed = speedOf(config, costs);
    if (!areNew) return { totalSteps, speed };
    return { totalSteps: await stepsWithin(config, batches, undefined, options.signal), speed };
  }
  const left = maxTime - options.clock();
  const speed = speedOf(config, costs, left);
  if (!areNew) return { totalSteps, speed };
  const pace = await paceOf(config, batches, 0, options.signal);
  const more = stepsFor(left, speed, pace, 0);
  const inTime = Math.max(step + more, 1);
  return { totalSteps: await stepsWithin(config, batches, inTime, options.signal), speed };
}

/**
 * The same of a run that has gone on for a while: the number of steps stays as planned, unless the run
 * would end too early or too late.
 *
 * @param measured what steps and evaluations have taken since the last look
 * @param speed as it was then; undefined at the first look, at which evaluations are tried once more
 */
export async function lengthAfterMeasuring(
  run: Run,
  measured: { readonly secondsPerStep: number; readonly secondsPerEvaluation: number | undefined },
  maxTime: number,
  { speed: before, signal }: { speed: Speed | undefined; signal: AbortSignal | undefined },
): Promise<{ totalSteps: number; speed: Speed }> {
  const { config, batches, progress, clock } = run;
  const forecast = before
    ? slowed(before, measured.secondsPerStep / before.secondsPerStep)
    : await triedOnceMore(run, measured.secondsPerStep, maxTime, signal);
  const secondsPerEvaluation = measured.secondsPerEvaluation ?? forecast.secondsPerEvaluation;
  const speed = { ...forecast, secondsPerEvaluation };
  const { step, epoch, totalSteps = step } = progress;
  const pace = await paceOf(config, batches, epoch, signal);
  const now = clock();
  const inTime = step + stepsFor(maxTime - now, speed, pace, 0);
  const within = (await stepsWithin(config, batches, inTime, signal)) as number;
  const steps = { planned: totalSteps - step, fitting: within - step };
  const look = { now, maxTime, isFirst: before === undefined };
  return { totalSteps: step + stepsLeftAfterMeasuring(steps, look, speed, pace), speed };
}

/** What evaluations cost, by a trial, beside what a step was seen to take. */
async function triedOnceMore(
  { config, corpus, scored, clock }: Run,
  secondsPerStep: number,
  maxTime: number,
  signal: AbortSignal | undefined,
): Promise<Speed> {
  const seconds = secondsToTry(maxTime - clock());
  const costs = await measureEvaluation(scored, config, corpus, { signal, clock, seconds });
  return speedOf(config, { step: secondsPerStep, ...costs }, maxTime - clock());
}

/** Everything slower by a factor, as when other programs use the machine too. */
function slowed(speed: Speed, factor: number): Speed {
  return {
    secondsPerStep: factor * speed.secondsPerStep,
    secondsPerEvaluation: factor * speed.secondsPerEvaluation,
    // The part of the time that is kept for it.
    secondsAtEnd: speed.secondsAtEnd,
    secondsPerCharacter: factor * speed.secondsPerCharacter,
  };
}

/**
 * How often a run is evaluated.
 *
 * @throws the signal's reason once it is aborted
 */
export async function paceOf(
  { training }: RunConfig,
  batches: Batches,
  epoch: number,
  signal: AbortSignal | undefined,
): Promise<EvaluationPace> {
  await batches.prepare(epoch, signal);
  const stepsPerEpoch = Math.ceil(batches.batchesInEpoch(epoch) / training.accumulate);
  return { evalEvery: training.evalEvery, stepsPerEpoch };
}

function wholeCosts({ text }: RunConfig, costs: Costs) {
  return {
    step: costs.step,
    whole: secondsToScore(costs, text.validationCharacters, text.documents),
    besides: costs.sample + CHECKPOINTS_PER_EVALUATION * costs.checkpoint,
  };
}

/** @param secondsLeft undefined where the time is not limited */
function speedOf({ text, training }: RunConfig, costs: Costs, secondsLeft?: number): Speed {
  const { validationCharacters, testCharacters, documents } = text;
  const { evalCharacters } = training;
  const wholeCharacters = evalCharacters === undefined ? 0 : validationCharacters;
  const test = secondsToScore(costs, testCharacters, documents);
  const whole = secondsToScore(costs, wholeCharacters, documents);
  return {
    secondsPerStep: costs.step,
    secondsPerEvaluation:
      secondsToScore(costs, validationCharacters, documents, evalCharacters) +
      costs.sample +
      CHECKPOINTS_PER_EVALUATION * costs.checkpoint,
    secondsAtEnd:
      secondsLeft === undefined ? test + whole : secondsKeptForEnd(secondsLeft, { test, whole }),
    secondsPerCharacter: costs.scoredCharacter,
  };
}

/** Whether two configurations drop at the same places: how much makes no difference to the speed. */
function dropsTheSame({ training: a }: RunConfig, { training: b }: RunConfig): boolean {
  const names = ["dropout", "inputDropout", "recurrentDropout", "weightDropout"] as const;
  return names.every((name) => a[name] > 0 === b[name] > 0);
}
