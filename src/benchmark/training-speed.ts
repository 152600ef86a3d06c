import { median } from "../arrays.js";
import type { Backend } from "../backends/backend.js";
import type { ModelConfig } from "../config/model.js";
import type { TrainingConfig } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import { type Batches, createBatches } from "../data/batches.js";
import { createTokens, type Tokens, Vocabulary } from "../data/vocabulary.js";
import { CharRnn } from "../model/char-rnn.js";
import type { DropoutRates } from "../model/dropout.js";
import { Learner } from "../optimization/learner.js";
import type { Random } from "../random.js";
import { inTurns, type Parts, Turns } from "../turns.js";

/** Steps from one beginning of the text to the next, where the state starts from zero. */
const STEPS_IN_TEXT = 16;
const LEARNING_RATE = 1e-3;

/** How long to measure: until the first of these is reached, and one step at least. */
export interface Effort {
  readonly steps: number;
  readonly seconds: number;
}

/** A learner on a text that never ends. */
export interface TextLearner {
  readonly model: CharRnn;
  readonly vocabulary: Vocabulary;
  readonly batches: Batches;
  /** Takes one step. */
  step(): void;
  dispose(): void;
}

/**
 * A model with everything that trains it, on a random text in which every batch is full.
 *
 * @throws the reason of `signal` when it is aborted
 */
export async function createLearner(
  backend: Backend,
  config: ModelConfig,
  shape: Pick<TrainingConfig, "batchSize" | "seqLength" | keyof DropoutRates>,
  random: Random,
  signal?: AbortSignal,
): Promise<TextLearner> {
  const { batchSize, seqLength } = shape;
  const training = { ...TRAIN_DEFAULTS, ...shape, stride: seqLength };
  // The last window's targets, and the largest offset at which rows begin.
  const length = batchSize * seqLength * STEPS_IN_TEXT + seqLength;
  const text = randomText(config.vocabularySize, length, random.fork("text"));
  const { vocabulary, tokens } = await inTurns(text, signal);
  const batches = createBatches(
    { tokens },
    undefined,
    vocabulary,
    training,
    random.fork("batches"),
  );
  const model = await CharRnn.initial(backend, config, random.fork("model"), signal);
  const learner = new Learner(model, training);
  let state = model.zeroState(batchSize);
  let [step, epoch, index] = [0, 0, 0];
  return {
    model,
    vocabulary,
    batches,
    step() {
      const batch = batches.at(epoch, index);
      const before = batch.startsFresh ? model.zeroState(batchSize) : state;
      const dropout = { rates: training, random: random.fork("dropout", step) };
      state = learner.lossAndGradients(batch, before, dropout).state;
      step++;
      learner.update(LEARNING_RATE, step);
      index++;
      if (index === batches.batchesInEpoch(epoch)) [epoch, index] = [epoch + 1, 0];
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
 * @param onProgress called with the fraction that is done, from 0 to 1
 * @returns the median, and the number of steps that were timed
 * @throws the reason of `signal` when it is aborted
 */
export async function timeTraining(
  learner: TextLearner,
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
      await turns.during(() => learner.step());
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
