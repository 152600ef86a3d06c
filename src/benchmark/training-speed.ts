import { median } from "../arrays.js";
import type { Backend } from "../backends/backend.js";
import type { ModelConfig } from "../config/model.js";
import type { TrainingConfig } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import { type Batches, createBatches } from "../data/batches.js";
import { createTokens, type Tokens, Vocabulary } from "../data/vocabulary.js";
import { CharRnn } from "../model/char-rnn.js";
import type { DropoutRates } from "../model/dropout.js";
import { withWorkerStates } from "../model/worker-state.js";
import { Learner } from "../optimization/learner.js";
import { Random } from "../random.js";
import { alone } from "../ranks/alone.js";
import type { Ranks } from "../ranks/ranks.js";
import type { Timed, TimedCommand } from "../ranks/timed.js";
import { inTurns, type Parts, Turns } from "../turns.js";

/** Steps from one beginning of the text to the next, where the state starts from zero. */
const STEPS_IN_TEXT = 16;
const LEARNING_RATE = 1e-3;
/** As in most steps of a run, few of which average all rows of the tables. */
const STEPS_BEFORE = 1_024;

/** How long to measure: until the first of these is reached, and one step at least. */
export interface Effort {
  readonly steps: number;
  readonly seconds: number;
}

/** Tells the other ranks to make the learner of {@link createLearner}, and to run it. */
export type BenchmarkCommand =
  | { readonly kind: "benchmark"; readonly model: ModelConfig; readonly shape: StepShape }
  | TimedCommand;

/** What one worker learns from in a step, and what is dropped. */
export type StepShape = Pick<TrainingConfig, "batchSize" | "seqLength" | keyof DropoutRates>;

/** A learner on a text that never ends; each rank has one worker. */
export interface TextLearner extends Timed {
  readonly model: CharRnn;
  readonly vocabulary: Vocabulary;
  readonly batches: Batches;
}

/**
 * A model with everything that trains it, on a random text in which every batch is full.
 *
 * @throws the reason of `signal` when it is aborted
 */
export async function createLearner(
  backend: Backend,
  config: ModelConfig,
  shape: StepShape,
  {
    ranks = alone(),
    signal,
  }: { readonly ranks?: Ranks | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<TextLearner> {
  const random = Random.fromSeed(0);
  const { seqLength } = shape;
  const workers = ranks.size;
  // Where others wait for this process, a signal must not stop it in the middle of something.
  const ownSignal = workers > 1 ? undefined : signal;
  const rows = workers * shape.batchSize;
  const training = { ...TRAIN_DEFAULTS, ...shape, stride: seqLength, workers };
  // The last window's targets, and the largest offset at which rows begin.
  const length = rows * seqLength * STEPS_IN_TEXT + seqLength;
  const text = randomText(config.vocabularySize, length, random.fork("text"));
  const { vocabulary, tokens } = await inTurns(text, ownSignal);
  const batches = createBatches(
    { tokens },
    undefined,
    vocabulary,
    { ...training, batchSize: rows },
    random.fork("batches"),
  );
  const model = await CharRnn.initial(backend, config, random.fork("model"), ownSignal);
  const learner = new Learner(model, training, ranks);
  let state = model.zeroState(rows);
  let [step, epoch, index] = [STEPS_BEFORE, 0, 0];
  const learn = () => {
    const batch = batches.at(epoch, index);
    const before = batch.startsFresh ? model.zeroState(rows) : state;
    const dropout = { rates: training, random: random.fork("dropout", step) };
    const after = learner.lossAndGradients(batch, before, dropout, ranks.rank).state;
    state = withWorkerStates(before, new Map([[ranks.rank, after]]), workers);
    index++;
    if (index === batches.batchesInEpoch(epoch)) [epoch, index] = [epoch + 1, 0];
  };
  const turns = new Turns(ownSignal);
  return {
    model,
    vocabulary,
    batches,
    async run(part) {
      if (part === "exchange") {
        learner.joinNothing();
        return;
      }
      await turns.during(learn);
      step++;
      learner.update(LEARNING_RATE, step);
    },
    dispose() {
      learner.dispose();
      model.dispose();
    },
  };
}

/**
 * Times training steps, after others that are not counted: the first ones make the arrays, and the
 * compiler is at work.
 *
 * @param step takes one
 * @param onProgress called with the fraction that is done, from 0 to 1
 * @returns the median, and the number of steps that were timed
 * @throws the reason of `signal` when it is aborted
 */
export async function timeTraining(
  step: () => Promise<void>,
  warmUp: Effort,
  effort: Effort,
  onProgress: (fraction: number) => void = () => {},
  signal?: AbortSignal,
): Promise<{ secondsPerStep: number; steps: number }> {
  const turns = new Turns(signal);
  const secondsAll = warmUp.seconds + effort.seconds;
  const repeat = async ({ steps, seconds }: Effort, done: number): Promise<number[]> => {
    const times: number[] = [];
    let spent = 0;
    do {
      const start = performance.now();
      await step();
      times.push((performance.now() - start) / 1e3);
      spent += times[times.length - 1];
      const own = Math.max(times.length / steps, spent / seconds);
      onProgress(done + (Math.min(own, 1) * seconds) / secondsAll);
      if (turns.isDue()) await turns.take();
      signal?.throwIfAborted();
    } while (times.length < steps && spent < seconds);
    return times;
  };
  await repeat(warmUp, 0);
  const times = await repeat(effort, warmUp.seconds / secondsAll);
  return { secondsPerStep: median(times), steps: times.length };
}

const FIRST = 0x20;
const [SURROGATES, AFTER_SURROGATES] = [0xd800, 0xe000];
/** Characters that are drawn between two stops. */
const CHARACTERS_IN_PART = 1 << 15;

/** A text in which every character of a vocabulary is as likely as any other. */
function* randomText(
  vocabularySize: number,
  length: number,
  random: Random,
): Parts<{ vocabulary: Vocabulary; tokens: Tokens }> {
  const codePoints = Array.from({ length: vocabularySize }, (_, index) => {
    const codePoint = FIRST + index;
    return codePoint < SURROGATES ? codePoint : codePoint - SURROGATES + AFTER_SURROGATES;
  });
  const tokens = createTokens(vocabularySize, length);
  for (let i = 0; i < length; i++) {
    tokens[i] = random.below(vocabularySize);
    if (i % CHARACTERS_IN_PART === 0) yield;
  }
  return { vocabulary: Vocabulary.fromCodePoints(codePoints), tokens };
}
