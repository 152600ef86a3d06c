import type { Backend } from "../backends/backend.js";
import { batchRows, type RunConfig } from "../config/run.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import { charactersRead } from "../data/evaluation-batches.js";
import type { EvaluationPace, Speed } from "./forecast.js";
import { charactersToScore, secondsKeptForEnd, secondsToTry, stepsFor } from "./forecast.js";
import { stepsWithin } from "./limits.js";
import { dropoutFor, MAX_EPOCHS } from "./presets.js";
import { type Costs, measureCosts, type TrialOptions } from "./trial.js";

/** Checkpoints that an evaluation writes at most, but for those that `keep` asks for. */
const CHECKPOINTS_PER_EVALUATION = 2;
/** A trial without dropout, and where that turns out to be used another one with it. */
const MAX_TRIALS = 2;
/** The fraction of a run in which the learning rate may rise by default. */
const MAX_WARM_UP = 0.05;

/** How long a run goes on, and what decides it. */
export interface RunLength {
  /** With what depends on the length, and with what evaluations score. */
  readonly config: RunConfig;
  /** Undefined where losses alone decide. */
  readonly totalSteps: number | undefined;
  readonly speed: Speed;
}

/**
 * Decides how long a new run goes on: by its limits; a limit of time is turned into steps by a short trial.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function lengthOfNewRun(
  backend: Backend,
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
    const config = fitToLength(planned, settings, replan ? planned.limits.steps : totalSteps);
    const costs = await measureCosts(backend, config, corpus, batches, options);
    return { config, totalSteps, speed: speedOf(config, costs) };
  }
  const pace = await paceOf(planned, batches, 0, options.signal);
  let config = planned;
  for (let trial = 1; ; trial++) {
    const seconds = secondsToTry(maxTime - options.clock());
    const costs = await measureCosts(backend, config, corpus, batches, { ...options, seconds });
    const left = maxTime - options.clock();
    const evalCharacters =
      settings.evalCharacters ??
      charactersToScore(left, planned.text.validationCharacters, wholeCosts(planned, costs), pace);
    const training = { ...planned.training, evalCharacters };
    const speed = speedOf({ ...planned, training }, costs, left);
    const inTime = stepsFor(left, speed, pace);
    const totalSteps = await stepsWithin(planned, batches, inTime, options.signal);
    const fitted = fitToLength({ ...planned, training }, settings, totalSteps);
    if (trial === MAX_TRIALS || dropsTheSame(fitted, config)) {
      return { config: fitted, totalSteps, speed };
    }
    config = fitted;
  }
}

/**
 * The same for a run that is resumed.
 *
 * @param step the steps it has taken
 * @param areNew whether its limits were changed; otherwise `totalSteps` stays what it is
 */
export async function lengthOfRun(
  backend: Backend,
  config: RunConfig,
  corpus: Corpus,
  batches: Batches,
  { step, totalSteps }: { readonly step: number; readonly totalSteps?: number | undefined },
  areNew: boolean,
  options: TrialOptions,
): Promise<Omit<RunLength, "config">> {
  const { maxTime } = config.limits;
  const seconds = maxTime === undefined ? undefined : secondsToTry(maxTime - options.clock());
  const costs = await measureCosts(backend, config, corpus, batches, { ...options, seconds });
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

/**
 * The same configuration with what depends on how long the run goes on, where it was not asked for: dropout by
 * the passes over the text, and a warm-up that is a small part of it.
 *
 * @param totalSteps undefined where losses alone decide
 */
function fitToLength(
  config: RunConfig,
  settings: TrainSettings,
  totalSteps: number | undefined,
): RunConfig {
  const { model, text, training } = config;
  const { seqLength, accumulate } = training;
  const characters = (totalSteps ?? 0) * batchRows(training) * seqLength * accumulate;
  const epochs = totalSteps === undefined ? MAX_EPOCHS : characters / text.trainCharacters;
  const fitting = dropoutFor(model, text.trainCharacters, epochs);
  const rates = {
    dropout: settings.dropout ?? fitting.dropout,
    inputDropout: settings.inputDropout ?? fitting.inputDropout,
    recurrentDropout: settings.recurrentDropout ?? fitting.recurrentDropout,
  };
  const longest = Math.floor((totalSteps ?? Number.POSITIVE_INFINITY) * MAX_WARM_UP);
  const warmupSteps = settings.warmupSteps ?? Math.min(training.warmupSteps, longest);
  return { ...config, training: { ...training, ...rates, warmupSteps } };
}

function wholeCosts({ text }: RunConfig, costs: Costs) {
  const { validationCharacters, documents } = text;
  return {
    step: costs.step,
    whole: costs.evaluatedCharacter * charactersRead(validationCharacters, documents),
    besides: costs.sample + CHECKPOINTS_PER_EVALUATION * costs.checkpoint,
  };
}

/** @param secondsLeft undefined where the time is not limited */
export function speedOf({ text, training }: RunConfig, costs: Costs, secondsLeft?: number): Speed {
  const { validationCharacters, testCharacters, documents } = text;
  const { evalCharacters } = training;
  const wholeCharacters = evalCharacters === undefined ? 0 : validationCharacters;
  const { scoredCharacter, evaluatedCharacter } = costs;
  const test = scoredCharacter * charactersRead(testCharacters, documents);
  const whole = scoredCharacter * charactersRead(wholeCharacters, documents);
  return {
    secondsPerStep: costs.step,
    secondsToExchange: costs.exchange,
    secondsPerEvaluation:
      evaluatedCharacter * charactersRead(validationCharacters, documents, evalCharacters) +
      costs.sample +
      CHECKPOINTS_PER_EVALUATION * costs.checkpoint,
    secondsAtEnd:
      secondsLeft === undefined ? test + whole : secondsKeptForEnd(secondsLeft, { test, whole }),
    secondsPerCharacter: scoredCharacter,
  };
}

/** Whether two configurations drop at the same places: how much makes no difference to the speed. */
function dropsTheSame({ training: a }: RunConfig, { training: b }: RunConfig): boolean {
  const names = ["dropout", "inputDropout", "recurrentDropout", "weightDropout"] as const;
  return names.every((name) => a[name] > 0 === b[name] > 0);
}
