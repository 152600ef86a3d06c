import type { Backend } from "../backends/backend.js";
import { MAX_STEPS } from "../config/names.js";
import { batchRows, type RunConfig } from "../config/run.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import { charactersRead } from "../data/evaluation-batches.js";
import { calibrationPiecesOf, logitsToFit } from "./calibration.js";
import {
  type EvaluationCosts,
  type Evaluations,
  evaluationsWithin,
  MIN_CHARACTERS_SCORED,
} from "./evaluations.js";
import type { Speed } from "./forecast.js";
import { secondsKeptForEnd, secondsToTry, stepsFor } from "./forecast.js";
import { stepsWithin } from "./limits.js";
import {
  CHARACTERS_WITHOUT_LIMITS,
  defaultSectionWindows,
  dropoutFor,
  MAX_EPOCHS,
} from "./presets.js";
import { type Costs, measureCosts, type TrialOptions } from "./trial.js";

/** A trial without dropout, and where that turns out to be used another one with it. */
const MAX_TRIALS = 2;
/** The fraction of a run in which the learning rate may rise by default. */
const MAX_WARM_UP = 0.05;
/**
 * What evaluations cost where no clock decides, in characters that training reads in the same time, about as measured:
 * the choice must not depend on the machine.
 */
const COSTS_IN_CHARACTERS: EvaluationCosts = { perCharacterRead: 0.4, besides: 5_000 };
/** For each logit by which a temperature is fitted, in characters that are trained on, and in seconds, about. */
const CHARACTERS_PER_LOGIT = 0.005;
const SECONDS_PER_LOGIT = 6e-8;

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
  const perStep = await charactersPerStep(planned, batches, options.signal);
  if (maxTime === undefined) {
    const totalSteps = await stepsWithin(planned, batches, undefined, options.signal);
    // A run that is repeated was fitted before its number of steps was changed.
    const steps = replan ? planned.limits.steps : totalSteps;
    const evaluated = withEvaluationsOf(planned, settings, steps, perStep);
    const config = fitToLength(evaluated, settings, steps, perStep);
    const costs = await measureCosts(backend, config, corpus, batches, options);
    return { config, totalSteps, speed: speedOf(config, costs) };
  }
  let config = planned;
  for (let trial = 1; ; trial++) {
    const seconds = secondsToTry(maxTime - options.clock());
    const costs = await measureCosts(backend, config, corpus, batches, { ...options, seconds });
    const left = maxTime - options.clock();
    const evaluated = withEvaluationsIn(planned, settings, costs, left, perStep);
    const speed = speedOf(evaluated, costs, left);
    const inTime = stepsFor(left, speed, evaluated.training.evalEvery);
    const totalSteps = await stepsWithin(planned, batches, inTime, options.signal);
    const fitted = fitToLength(evaluated, settings, totalSteps, perStep);
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
  const more = stepsFor(left, speed, config.training.evalEvery, 0);
  const inTime = Math.max(step + more, 1);
  return { totalSteps: await stepsWithin(config, batches, inTime, options.signal), speed };
}

/**
 * The number of steps of an epoch.
 *
 * @throws the signal's reason once it is aborted
 */
export async function stepsOfEpoch(
  { training }: RunConfig,
  batches: Batches,
  epoch: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  await batches.prepare(epoch, signal);
  return Math.ceil(batches.batchesInEpoch(epoch) / training.accumulate);
}

/**
 * The same configuration with how often a run of a number of steps is evaluated, and on what.
 *
 * @param steps undefined where losses alone decide
 * @param perStep characters that a step learns from
 */
function withEvaluationsOf(
  config: RunConfig,
  { evalEvery, evalCharacters: characters }: TrainSettings,
  steps: number | undefined,
  perStep: number,
): RunConfig {
  const total = steps ?? Math.ceil(CHARACTERS_WITHOUT_LIMITS / perStep);
  const costs = withCalibration(config, COSTS_IN_CHARACTERS, {
    perCharacter: COSTS_IN_CHARACTERS.perCharacterRead,
    perLogit: CHARACTERS_PER_LOGIT,
  });
  const within = (count: number | undefined) =>
    evaluationsWithin(total * perStep, config.text, costs, { count, characters });
  const found = within(evalEvery && Math.ceil(total / evalEvery));
  if (evalEvery !== undefined) return withEvaluations(config, evalEvery, found);
  const stepsPerEpoch = config.text.trainCharacters / perStep;
  const { every, evaluations } = alignedWithEpochs(found, total, stepsPerEpoch, within);
  return withEvaluations(config, every, evaluations);
}

/**
 * The same for a run of which this much time is left, seconds.
 *
 * @param perStep characters that a step learns from
 */
function withEvaluationsIn(
  config: RunConfig,
  { evalEvery, evalCharacters: characters }: TrainSettings,
  costs: Costs,
  secondsLeft: number,
  perStep: number,
): RunConfig {
  const within = (count: number | undefined) => {
    const asked = { count, characters };
    return evaluationsWithin(secondsLeft, config.text, evaluationCosts(config, costs), asked);
  };
  const mostSteps = Math.max(secondsLeft / costs.step, 1);
  const found = within(evalEvery && Math.ceil(mostSteps / evalEvery));
  if (evalEvery !== undefined) return withEvaluations(config, evalEvery, found);
  const among = withEvaluations(config, mostSteps / found.count, found);
  const steps = stepsFor(secondsLeft, speedOf(among, costs, secondsLeft), among.training.evalEvery);
  const stepsPerEpoch = config.text.trainCharacters / perStep;
  const { every, evaluations } = alignedWithEpochs(found, steps, stepsPerEpoch, within);
  return withEvaluations(config, every, evaluations);
}

/**
 * Evaluations about as often as was found, at the end of each epoch or of every few, and as often in between. What is held out is
 * predicted best there if it is like the end of the text, which was read last (`bench/quality/LOG.md`). They are half as many again at
 * most, where that leaves each of them enough characters, or else down to half as many.
 *
 * @param steps of the run; with fewer than two epochs, nothing is changed
 * @param within what a number of evaluations may score
 */
function alignedWithEpochs(
  found: Evaluations,
  steps: number,
  stepsPerEpoch: number,
  within: (count: number) => Evaluations,
): { readonly every: number; readonly evaluations: Evaluations } {
  const every = steps / found.count;
  if (steps < 2 * stepsPerEpoch) return { every, evaluations: found };
  const inEpoch = stepsPerEpoch / every;
  const [nearest, fewer] =
    inEpoch >= 1
      ? [stepsPerEpoch / Math.round(inEpoch), stepsPerEpoch / Math.floor(inEpoch)]
      : [stepsPerEpoch * Math.round(1 / inEpoch), stepsPerEpoch * Math.ceil(1 / inEpoch)];
  const [ofNearest, ofFewer] = [nearest, fewer].map((apart) => ({
    every: Math.max(Math.round(apart), 1),
    evaluations: within(Math.ceil(steps / apart)),
  }));
  const { characters = 0 } = ofNearest.evaluations;
  const isEnough = found.characters !== undefined && characters > MIN_CHARACTERS_SCORED;
  return isEnough ? ofNearest : ofFewer;
}

function withEvaluations(
  config: RunConfig,
  every: number,
  { characters: evalCharacters }: Evaluations,
): RunConfig {
  const evalEvery = Math.min(Math.max(Math.ceil(every), 1), MAX_STEPS);
  return { ...config, training: { ...config.training, evalEvery, evalCharacters } };
}

/**
 * Fills in the settings that depend on the length of the run, where the user gave none: dropout and sections by the passes
 * over the text, and a warm-up of a small part of the run.
 *
 * @param totalSteps undefined where losses alone decide
 * @param perStep characters that a step learns from
 */
function fitToLength(
  config: RunConfig,
  settings: TrainSettings,
  totalSteps: number | undefined,
  perStep: number,
): RunConfig {
  const { model, text, training } = config;
  const characters = (totalSteps ?? Number.POSITIVE_INFINITY) * perStep;
  const epochs = totalSteps === undefined ? MAX_EPOCHS : characters / text.trainCharacters;
  const { members } = training;
  const fitting = dropoutFor(model, { characters: text.trainCharacters, epochs, members });
  const rates = {
    dropout: settings.dropout ?? fitting.dropout,
    inputDropout: settings.inputDropout ?? fitting.inputDropout,
    ngramDropout: model.ngramOrder && (settings.ngramDropout ?? fitting.ngramDropout),
    recurrentDropout: settings.recurrentDropout ?? fitting.recurrentDropout,
  };
  const isInLanes = text.documents === undefined && training.batching === "lanes";
  // An epoch leaves out less than a step reads.
  const readsAll = characters + perStep > text.trainCharacters;
  const sectionWindows =
    settings.sectionWindows ??
    (isInLanes ? defaultSectionWindows(text.trainCharacters, readsAll) : undefined);
  const longest = Math.floor((totalSteps ?? Number.POSITIVE_INFINITY) * MAX_WARM_UP);
  const warmupSteps = settings.warmupSteps ?? Math.min(training.warmupSteps, longest);
  return { ...config, training: { ...training, ...rates, sectionWindows, warmupSteps } };
}

function evaluationCosts(
  config: RunConfig,
  { evaluatedCharacter, scoredCharacter, sample, keep }: Costs,
): EvaluationCosts {
  const costs = { perCharacterRead: evaluatedCharacter, besides: sample + keep };
  const alone = { perCharacter: scoredCharacter, perLogit: SECONDS_PER_LOGIT };
  return withCalibration(config, costs, alone);
}

/** @param alone what it costs to fit a temperature, which this process does alone */
function withCalibration(
  config: RunConfig,
  { perCharacterRead, besides }: EvaluationCosts,
  alone: { readonly perCharacter: number; readonly perLogit: number },
): EvaluationCosts {
  const { charactersRead = 0 } = calibrationPiecesOf(config) ?? {};
  const fitting = alone.perCharacter * charactersRead + alone.perLogit * logitsToFit(config);
  return { perCharacterRead, besides: besides + fitting };
}

/** Characters that a step learns from: of documents, which are shorter or longer than a window, the mean. */
async function charactersPerStep(
  config: RunConfig,
  batches: Batches,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { training, text } = config;
  if (text.documents) {
    return text.trainCharacters / (await stepsOfEpoch(config, batches, 0, signal));
  }
  return batchRows(training) * training.seqLength * training.accumulate;
}

/** @param secondsLeft undefined where the time is not limited */
export function speedOf(config: RunConfig, costs: Costs, secondsLeft?: number): Speed {
  const { text, training } = config;
  const { validationCharacters, testCharacters, documents, scoredPiece } = text;
  const { evalCharacters } = training;
  const wholeCharacters = evalCharacters === undefined ? 0 : validationCharacters;
  const { scoredCharacter } = costs;
  const { perCharacterRead, besides } = evaluationCosts(config, costs);
  const test = scoredCharacter * charactersRead(testCharacters, documents);
  const evaluated = charactersRead(validationCharacters, documents, evalCharacters, scoredPiece);
  const whole = scoredCharacter * charactersRead(wholeCharacters, documents);
  return {
    secondsPerStep: costs.step,
    secondsToExchange: costs.exchange,
    secondsPerEvaluation: perCharacterRead * evaluated + besides,
    secondsAtEnd:
      costs.save +
      (secondsLeft === undefined ? test + whole : secondsKeptForEnd(secondsLeft, { test, whole })),
    secondsPerCharacter: scoredCharacter,
  };
}

/** Whether two configurations drop at the same places: how much makes no difference to the speed. */
function dropsTheSame({ training: a }: RunConfig, { training: b }: RunConfig): boolean {
  const names = [
    "dropout",
    "inputDropout",
    "ngramDropout",
    "recurrentDropout",
    "weightDropout",
  ] as const;
  return names.every((name) => (a[name] ?? 0) > 0 === (b[name] ?? 0) > 0);
}
