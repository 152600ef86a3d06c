import { disposeAll } from "../backends/scope.js";
import type { Batch } from "../data/batch.js";
import { evaluationBatches } from "../data/batches.js";
import { TRAIN_DEFAULTS } from "../defaults.js";
import { CharRnn } from "../model/char-rnn.js";
import { NO_DROPOUT } from "../model/dropout.js";
import { operationsPerCharacter } from "../model/operations.js";
import { parameterArray } from "../model/parameters.js";
import { Random } from "../random.js";
import { Turns } from "../turns.js";
import { learn } from "./learn.js";
import { median } from "./median.js";
import { PRESETS, presetModel } from "./presets.js";
import type { Run } from "./run.js";

/** How long a run's parts take on this machine. */
export interface Speed {
  readonly secondsPerStep: number;
  readonly secondsPerEvaluation: number;
}

/** Of a run that has nothing left to do. */
export const NO_TIME: Speed = { secondsPerStep: 0, secondsPerEvaluation: 0 };

const LONGEST_TRIAL_SECONDS = 1.5;
const MOST_TRIALS = 7;
const MOST_BATCHES_TRIED = 4;

/**
 * Measures the speed of a run that has not begun, or has not been restored, by a short trial: steps
 * whose learning rate is zero. The optimizer's moments are zero again afterwards.
 *
 * @throws the reason of `signal` when it is aborted
 */
export async function measureSpeed(
  run: Omit<Run, "speed" | "choice" | "warnings" | "lock">,
  signal?: AbortSignal,
): Promise<Speed> {
  const { model, scored, optimizer, progress, config, corpus } = run;
  const { accumulate, batchSize } = config.training;
  // A few of a step's batches show how long all of them take.
  const batchesTried = Math.min(accumulate, MOST_BATCHES_TRIED);
  const training = { ...config.training, accumulate: batchesTried };
  const secondsTried = await secondsOf(async () => {
    const state = model.zeroState(batchSize);
    const trial = { ...run, config: { training }, progress: { ...progress, rateFactor: 0 }, state };
    try {
      await learn(trial, signal);
    } finally {
      disposeAll(trial.state);
    }
  }, signal);
  const secondsPerStep = (secondsTried * accumulate) / batchesTried;
  for (const moment of optimizer.moments.values()) {
    moment.write(new Float32Array(moment.flat.size));
  }
  const { validation, documents, vocabulary } = corpus;
  const turns = new Turns(signal);
  let count = 0;
  let first: Batch | undefined;
  for (const part of evaluationBatches(validation.tokens, documents, vocabulary)) {
    first ??= { ...part, inputs: part.inputs.slice(), targets: part.targets.slice() };
    count++;
    if (turns.isDue()) await turns.take();
  }
  if (!first) return { secondsPerStep, secondsPerEvaluation: 0 };
  const text = first;
  const secondsPerBatch = await secondsOf(() => {
    const state = scored.zeroState(text.batch);
    disposeAll(scored.score(text, state).state);
    disposeAll(state);
  }, signal);
  return { secondsPerStep, secondsPerEvaluation: count * secondsPerBatch };
}

/**
 * Floating-point operations a second that training makes on the active backend, by a short trial.
 *
 * @throws the reason of `signal` when it is aborted
 */
export async function operationsPerSecond(
  vocabularySize: number,
  signal?: AbortSignal,
): Promise<number> {
  const config = presetModel("small", vocabularySize);
  const { batchSize: batch } = PRESETS.small;
  const time = TRAIN_DEFAULTS.seqLength;
  const random = Random.fromSeed(0);
  const tokens = Int32Array.from({ length: time * batch }, () => random.below(vocabularySize));
  const model = new CharRnn(config);
  const gradients = parameterArray(config);
  const window = { inputs: tokens, targets: tokens, time, batch, startsFresh: true };
  try {
    const seconds = await secondsOf(() => {
      const state = model.zeroState(batch);
      const dropout = { rates: NO_DROPOUT, random };
      disposeAll(model.learn(window, state, gradients, dropout).state);
      disposeAll(state);
    }, signal);
    return (time * batch * operationsPerCharacter(config)) / seconds;
  } finally {
    model.dispose();
    gradients.dispose();
  }
}

/** The number of steps, with their evaluations, that fit into `seconds`. */
export function stepsInTime(
  seconds: number,
  speed: Speed,
  evalEvery: number,
  stepsPerEpoch: number,
): number {
  const evaluationsPerStep = 1 / evalEvery + 1 / stepsPerEpoch;
  const perStep = speed.secondsPerStep + evaluationsPerStep * speed.secondsPerEvaluation;
  return Math.max(1, Math.floor((seconds - speed.secondsPerEvaluation) / perStep));
}

/** How long so many steps take, with their evaluations. */
export function secondsFor(
  steps: number,
  speed: Speed,
  evalEvery: number,
  stepsPerEpoch: number,
): number {
  const evaluations = Math.ceil(steps / stepsPerEpoch + steps / evalEvery);
  return steps * speed.secondsPerStep + evaluations * speed.secondsPerEvaluation;
}

/** The median of a few runs of some work, the first one not counted, which makes its arrays. */
async function secondsOf(
  work: () => void | Promise<void>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const turns = new Turns(signal);
  const times: number[] = [];
  let spent = 0;
  for (let trial = 0; trial <= MOST_TRIALS && spent < LONGEST_TRIAL_SECONDS; trial++) {
    if (turns.isDue()) await turns.take();
    const start = performance.now();
    await work();
    signal?.throwIfAborted();
    times.push((performance.now() - start) / 1e3);
    spent += times[trial];
  }
  return median(times.length > 1 ? times.slice(1) : times);
}
