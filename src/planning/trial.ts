import { least, median } from "../arrays.js";
import type { Backend } from "../backends/backend.js";
import type { Clock } from "../clock.js";
import { memberCount } from "../config/members.js";
import type { ModelConfig } from "../config/model.js";
import { batchRows, type RunConfig } from "../config/run.js";
import type { Batch } from "../data/batch.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import { CharRnn, type ModelWorkspace } from "../model/char-rnn.js";
import { type DropoutRates, NO_DROPOUT } from "../model/dropout.js";
import { parameterArray } from "../model/parameters.js";
import { type RankZero, rankZeroAlone } from "../ranks/rank-zero.js";
import { Turns } from "../turns.js";
import { checkpointBytes } from "./memory-need.js";
import {
  batchesTried,
  MOST_BATCHES,
  randomBatches,
  type TrialCommand,
  type TrialTraining,
  withTrial,
} from "./step-trial.js";

/** What the work of a run costs on this machine, in seconds. */
export interface Costs {
  /** With the exchange of gradients. */
  readonly step: number;
  /** The part of a step that goes to the exchange. */
  readonly exchange: number;
  /** For each character that is read to score a text. */
  readonly scoredCharacter: number;
  /** The same in an evaluation, which all processes share. */
  readonly evaluatedCharacter: number;
  readonly sample: number;
  /** Of saving the best and the last checkpoint. */
  readonly save: number;
  /** Of keeping a checkpoint in memory. */
  readonly keep: number;
}

/** How a trial is timed. */
export interface TrialOptions {
  /** Aborted: the trial ends with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds for each of the things that are tried. */
  readonly seconds?: number | undefined;
  readonly clock: Clock;
  /** Leads the processes that are to train, which try a step together; this process is alone when left out. */
  readonly rankZero?: RankZero<TrialCommand> | undefined;
  /** Scratch memory to use, which the run has afterwards. */
  readonly workspace?: ModelWorkspace | undefined;
}

const MAX_TRIAL_SECONDS = 1.5;
const MAX_TRIALS = 7;
/** Batches that are looked at to find one of about the mean length. */
const BATCHES_LOOKED_AT = 32;
/** Characters that a sample reads before its beginning, and its own. */
const CHARACTERS_OF_SAMPLE = 400;
const CHARACTERS_TRIED = 8;
/** Of writing a checkpoint with its checksum: a slow disk is slower. */
const BYTES_WRITTEN_PER_SECOND = 3e8;
const BYTES_COPIED_PER_SECOND = 5e8;
const SECONDS_TO_SYNC = 0.01;
/** Of copying one in memory, where all its numbers are looked at. */
const BYTES_KEPT_PER_SECOND = 1e9;

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
    const { step, exchange } = await secondsPerStep(model, config, batches, options);
    const members = memberCount(config);
    const ofAll = { step: members * step, exchange: members * exchange };
    return { ...ofAll, ...(await measureEvaluation(model, config, corpus, options)) };
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
): Promise<Omit<Costs, "step" | "exchange">> {
  const { size } = (options.rankZero ?? rankZeroAlone()).ranks;
  const members = memberCount(config);
  const scoredCharacter = members * (await secondsPerScoredCharacter(model, corpus, options));
  const evaluatedCharacter = scoredCharacter / size;
  const written = await secondsPerWrittenCharacter(model, options);
  const sample = members * CHARACTERS_OF_SAMPLE * written;
  const keep = checkpointBytes(config) / BYTES_KEPT_PER_SECOND;
  return { scoredCharacter, evaluatedCharacter, sample, save: secondsPerSave(config), keep };
}

/**
 * Characters a second from which a model learns, in all processes together, by a short trial without dropout.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function charactersPerSecond(
  backend: Backend,
  {
    model: config,
    training: planned,
  }: {
    readonly model: ModelConfig;
    readonly training: Omit<TrialTraining, keyof DropoutRates> & { readonly seqLength: number };
  },
  options: TrialOptions,
): Promise<number> {
  const { rankZero = rankZeroAlone(), signal } = options;
  const training = { ...planned, ...NO_DROPOUT, accumulate: 1 };
  const batches = randomBatches(training.seqLength, batchRows(training), config.vocabularySize);
  const model = new CharRnn(backend, config);
  try {
    const seconds = await withTrial(rankZero, { model, training, batches, signal }, (run) =>
      secondsOf(() => run("step"), options),
    );
    return (training.seqLength * batchRows(training)) / seconds;
  } finally {
    model.dispose();
  }
}

/** A step of all processes on batches whose lengths are nearest to the mean: it takes about the mean time. */
async function secondsPerStep(
  model: CharRnn,
  { training }: RunConfig,
  batches: Batches,
  options: TrialOptions,
): Promise<Pick<Costs, "step" | "exchange">> {
  const { rankZero = rankZeroAlone(), signal } = options;
  await batches.prepare(0, signal);
  const all = batches.batchesInEpoch(0);
  const looked = Math.min(all, BATCHES_LOOKED_AT);
  const found = Array.from({ length: looked }, (_, k) => {
    const index = Math.floor((k * all) / looked);
    return { index, time: batches.at(0, index).time };
  });
  const tried = nearestToMean(found, MOST_BATCHES).map(({ index }) => copyOf(batches.at(0, index)));
  return withTrial(rankZero, { model, training, batches: tried, signal }, async (run) => {
    const whole = await secondsOf(() => run("step"), options);
    // The least, since those that come late to an exchange are late with their gradients.
    const exchange =
      rankZero.ranks.size > 1
        ? Math.min(whole, least(await timesOf(() => run("exchange"), options)))
        : 0;
    const more = training.accumulate / batchesTried(training);
    return { step: exchange + more * (whole - exchange), exchange };
  });
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
    found.push(copyOf(batch));
    if (turns.isDue()) await turns.take();
    if (found.length === BATCHES_LOOKED_AT) break;
  }
  if (found.length === 0) return 0;
  const [batch] = nearestToMean(found, 1);
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

/** A checkpoint and a copy of it. Not tried: an estimate is enough until the run has written one. */
function secondsPerSave(config: RunConfig): number {
  const bytes = checkpointBytes(config);
  return 2 * SECONDS_TO_SYNC + bytes / BYTES_WRITTEN_PER_SECOND + bytes / BYTES_COPIED_PER_SECOND;
}

/** A copy that stays as it is when the next batch is made, which uses the same arrays. */
function copyOf(batch: Batch): Batch {
  const { inputs, targets, before } = batch;
  return { ...batch, inputs: inputs.slice(), targets: targets.slice(), before: before.slice() };
}

/** Those whose lengths are nearest to the mean. */
function nearestToMean<Timed extends { readonly time: number }>(
  batches: readonly Timed[],
  count: number,
): Timed[] {
  const mean = batches.reduce((sum, { time }) => sum + time, 0) / batches.length;
  const far = ({ time }: Timed) => Math.abs(time - mean);
  return batches.toSorted((a, b) => far(a) - far(b)).slice(0, count);
}

/** The median of a few runs of some work. */
async function secondsOf(work: () => void | Promise<void>, options: TrialOptions): Promise<number> {
  return median(await timesOf(work, options));
}

/** What a few runs of some work take, seconds, the first one not counted, which makes its arrays. */
async function timesOf(
  work: () => void | Promise<void>,
  { signal, clock, seconds = MAX_TRIAL_SECONDS }: TrialOptions,
): Promise<number[]> {
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
  return times.length > 1 ? times.slice(1) : times;
}
