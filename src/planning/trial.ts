import { median } from "../arrays.js";
import type { Backend } from "../backends/backend.js";
import type { Clock } from "../clock.js";
import { parameterCount } from "../config/parameters.js";
import { batchRows, type RunConfig } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { Batch } from "../data/batch.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import { charactersRead, evaluationBatches } from "../data/evaluation-batches.js";
import { CharRnn, type ModelWorkspace } from "../model/char-rnn.js";
import { NO_DROPOUT } from "../model/dropout.js";
import { operationsPerCharacter } from "../model/flops.js";
import { parameterArray } from "../model/parameters.js";
import { Learner } from "../optimization/learner.js";
import { Random } from "../random.js";
import { Turns } from "../turns.js";
import { PRESETS, presetModel } from "./presets.js";

/** What the work of a run costs on this machine, in seconds. */
export interface Costs {
  readonly step: number;
  /** For each character that is read to score a text. */
  readonly scoredCharacter: number;
  readonly sample: number;
  readonly checkpoint: number;
}

/** How a trial is timed. */
export interface TrialOptions {
  /** Aborted: the trial ends with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds for each of the things that are tried. */
  readonly seconds?: number | undefined;
  readonly clock: Clock;
  /** Among how many processes the workers are divided; 1 when left out. */
  readonly processes?: number | undefined;
  /** Scratch memory to use, which the run has afterwards. */
  readonly workspace?: ModelWorkspace | undefined;
}

const MAX_TRIAL_SECONDS = 1.5;
const MAX_TRIALS = 7;
/** Of the batches of a step: they show how long all of them take. */
const MAX_BATCHES_IN_STEP = 4;
/** Batches that are looked at to find one of about the mean length. */
const BATCHES_LOOKED_AT = 32;
/** Characters that a sample reads before its beginning, and its own. */
const CHARACTERS_OF_SAMPLE = 400;
const CHARACTERS_TRIED = 8;
/** Of writing a checkpoint: a slow disk is slower. */
const BYTES_PER_SECOND = 2e8;
const SECONDS_TO_SYNC = 0.01;

/**
 * Measures what a run will cost, by a short trial with a model of its own: weights, dropout and batches
 * as they will be.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function measureCosts(
  backend: Backend,
  config: RunConfig,
  corpus: Corpus,
  batches: Batches,
  options: TrialOptions,
): Promise<Costs> {
  const parameters = parameterArray(backend, config.model);
  const model = new CharRnn(backend, config.model, parameters, options.workspace);
  try {
    const step = await secondsPerStep(model, config, batches, options);
    return { step, ...(await measureEvaluation(model, config, corpus, options)) };
  } finally {
    model.dispose();
  }
}

/**
 * Measures what evaluations of a model will cost.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function measureEvaluation(
  model: CharRnn,
  config: RunConfig,
  corpus: Corpus,
  options: TrialOptions,
): Promise<Omit<Costs, "step">> {
  const scoredCharacter = await secondsPerScoredCharacter(model, corpus, options);
  const sample = CHARACTERS_OF_SAMPLE * (await secondsPerWrittenCharacter(model, options));
  return { scoredCharacter, sample, checkpoint: secondsPerCheckpoint(config) };
}

/** Seconds to score a text, or about `most` of its characters. */
export function secondsToScore(
  { scoredCharacter }: Costs,
  characters: number,
  documents: string | undefined,
  most?: number,
): number {
  return scoredCharacter * charactersRead(characters, documents, most);
}

/**
 * Floating-point operations a second that training makes on a backend, by a short trial.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function operationsPerSecond(
  backend: Backend,
  vocabularySize: number,
  options: TrialOptions,
): Promise<number> {
  const config = presetModel("small", vocabularySize);
  const { batchSize: batch } = PRESETS.small;
  const time = TRAIN_DEFAULTS.seqLength;
  const random = Random.fromSeed(0);
  const tokens = Int32Array.from({ length: time * batch }, () => random.below(vocabularySize));
  const model = new CharRnn(backend, config);
  const gradients = parameterArray(backend, config);
  const window = { inputs: tokens, targets: tokens, time, batch, startsFresh: true };
  try {
    const seconds = await secondsOf(() => {
      model.lossAndGradients(window, model.zeroState(batch), gradients, {
        rates: NO_DROPOUT,
        random,
      });
    }, options);
    return (time * batch * operationsPerCharacter(config)) / seconds;
  } finally {
    model.dispose();
    gradients.dispose();
  }
}

/** A step on the batch whose length is nearest to the mean: it takes about the mean time. */
async function secondsPerStep(
  model: CharRnn,
  { training }: RunConfig,
  batches: Batches,
  options: TrialOptions,
): Promise<number> {
  const { accumulate, randomSeed } = training;
  const tried = Math.min(accumulate, MAX_BATCHES_IN_STEP);
  await batches.prepare(0, options.signal);
  const all = batches.batchesInEpoch(0);
  const looked = Math.min(all, BATCHES_LOOKED_AT);
  const { index } = nearestToMean(
    Array.from({ length: looked }, (_, k) => {
      const index = Math.floor((k * all) / looked);
      return { index, time: batches.at(0, index).time };
    }),
  );
  const dropout = { rates: training, random: Random.fromSeed(randomSeed).fork("dropout") };
  const learner = new Learner(model, training);
  // The most that one of the processes has: all wait for it.
  const own = Math.ceil(learner.workers / (options.processes ?? 1));
  const state = model.zeroState(batchRows(training));
  try {
    const seconds = await secondsOf(() => {
      for (let part = 0; part < tried; part++) {
        const batch = batches.at(0, index);
        for (let worker = 0; worker < own; worker++) {
          learner.lossAndGradients(batch, state, dropout, worker);
        }
      }
      learner.update(0, 1);
    }, options);
    return (seconds * accumulate) / tried;
  } finally {
    learner.dispose();
  }
}

async function secondsPerScoredCharacter(
  model: CharRnn,
  { validation, test, documents, vocabulary }: Corpus,
  options: TrialOptions,
): Promise<number> {
  const part = validation.tokens.length > 1 ? validation : test;
  const { signal } = options;
  const turns = new Turns(signal);
  const found: Batch[] = [];
  for await (const batch of evaluationBatches(part.tokens, documents, vocabulary, { signal })) {
    found.push({ ...batch, inputs: batch.inputs.slice(), targets: batch.targets.slice() });
    if (turns.isDue()) await turns.take();
    if (found.length === BATCHES_LOOKED_AT) break;
  }
  if (found.length === 0) return 0;
  const batch = nearestToMean(found);
  const seconds = await secondsOf(() => {
    model.score(batch, model.zeroState(batch.batch));
  }, options);
  return seconds / (batch.time * batch.batch);
}

async function secondsPerWrittenCharacter(model: CharRnn, options: TrialOptions): Promise<number> {
  const session = model.openDecodeSession(1);
  try {
    const seconds = await secondsOf(() => {
      for (let k = 0; k < CHARACTERS_TRIED; k++) session.step(Int32Array.of(0));
    }, options);
    return seconds / CHARACTERS_TRIED;
  } finally {
    session.dispose();
  }
}

/** Not tried: an estimate is enough until the run has written one. */
function secondsPerCheckpoint({ model, training }: RunConfig): number {
  // Weights, their average and what the optimizer keeps.
  const bytes = 4 * parameterCount(model) * (training.averageDecay > 0 ? 4 : 3);
  return SECONDS_TO_SYNC + bytes / BYTES_PER_SECOND;
}

/** The one whose length is nearest to the mean. */
function nearestToMean<Timed extends { readonly time: number }>(batches: readonly Timed[]): Timed {
  const mean = batches.reduce((sum, { time }) => sum + time, 0) / batches.length;
  return batches.reduce((best, batch) =>
    Math.abs(batch.time - mean) < Math.abs(best.time - mean) ? batch : best,
  );
}

/** The median of a few runs of some work, the first one not counted, which makes its arrays. */
async function secondsOf(
  work: () => void | Promise<void>,
  { signal, clock, seconds = MAX_TRIAL_SECONDS }: TrialOptions,
): Promise<number> {
  const turns = new Turns(signal);
  const times: number[] = [];
  let spent = 0;
  for (let trial = 0; trial <= MAX_TRIALS && spent < seconds; trial++) {
    if (turns.isDue()) await turns.take();
    const start = clock();
    await turns.during(work);
    times.push(clock() - start);
    spent += times[trial];
    signal?.throwIfAborted();
  }
  return median(times.length > 1 ? times.slice(1) : times);
}
