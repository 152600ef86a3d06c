import { median } from "../arrays.js";
import { disposeAll } from "../backends/scope.js";
import type { ModelConfig } from "../config/model.js";
import type { TrainingConfig } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import { createBatches } from "../data/batches.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { CharRnn } from "../model/char-rnn.js";
import type { DropoutRates } from "../model/dropout.js";
import { parameterArray } from "../model/parameters.js";
import type { Random } from "../random.js";
import { GradientSum } from "../training/gradient-sum.js";
import { learn } from "../training/learn.js";
import { createOptimizer } from "../training/optimizer.js";
import type { Learner } from "../training/run.js";
import { inTurns, Turns } from "../turns.js";
import { randomText } from "./random-text.js";

/** Steps from one beginning of the text to the next, where the state starts from zero. */
const STEPS_IN_TEXT = 16;

/** How long to measure: until the first of these is reached, and one step at least. */
export interface Effort {
  readonly steps: number;
  readonly seconds: number;
}

/** A learner with the vocabulary of its text. */
interface TextLearner extends Learner {
  readonly vocabulary: Vocabulary;
}

/**
 * A model with all that trains it, on a random text in which every batch is full.
 *
 * @throws the reason of `signal` when it is aborted
 */
export async function createLearner(
  model: ModelConfig,
  shape: Pick<TrainingConfig, "batchSize" | "seqLength" | keyof DropoutRates>,
  random: Random,
  signal?: AbortSignal,
): Promise<TextLearner> {
  const { batchSize, seqLength } = shape;
  const training = {
    ...TRAIN_DEFAULTS,
    ...shape,
    learningRate: 1e-3,
    preset: "tiny",
    stride: seqLength,
    schedule: "constant",
  } as const;
  // The last window's targets, and the largest offset at which lanes begin.
  const length = batchSize * seqLength * STEPS_IN_TEXT + seqLength;
  const text = randomText(model.vocabularySize, length, random.fork("text"));
  const { vocabulary, tokens } = await inTurns(text, signal);
  const part = { tokens };
  const charRnn = await CharRnn.initialInTurns(model, random.fork("model"), signal);
  return {
    config: { training },
    model: charRnn,
    average: parameterArray(model),
    gradients: parameterArray(model),
    optimizer: createOptimizer(model, training),
    gradientSum: new GradientSum(),
    batches: createBatches(part, undefined, vocabulary, training, random.fork("batches")),
    random,
    progress: { step: 0, epoch: 0, batch: 0, rateFactor: 1, replan: [] },
    state: charRnn.zeroState(batchSize),
    vocabulary,
  };
}

export function disposeLearner({ model, average, gradients, optimizer, state }: Learner): void {
  average?.dispose();
  gradients.dispose();
  disposeAll(state);
  model.dispose();
  optimizer.dispose();
}

/**
 * Times training steps, after others that are not counted: the first ones make the arrays, and the
 * compiler is at work.
 *
 * @param onShare called with the share that is done, from 0 to 1
 * @returns the median, and how many steps it is of
 * @throws the reason of `signal` when it is aborted
 */
export async function timeTraining(
  learner: Learner,
  warmUp: Effort,
  effort: Effort,
  onShare: (share: number) => void = () => {},
  signal?: AbortSignal,
): Promise<{ secondsPerStep: number; steps: number }> {
  const turns = new Turns(signal);
  const secondsAll = warmUp.seconds + effort.seconds;
  const repeat = async ({ steps, seconds }: Effort, done: number): Promise<number[]> => {
    const times: number[] = [];
    let spent = 0;
    do {
      const start = performance.now();
      await learn(learner, signal);
      times.push((performance.now() - start) / 1e3);
      spent += times[times.length - 1];
      const own = Math.max(times.length / steps, spent / seconds);
      onShare(done + (Math.min(own, 1) * seconds) / secondsAll);
      if (turns.isDue()) await turns.take();
      signal?.throwIfAborted();
    } while (times.length < steps && spent < seconds);
    return times;
  };
  await repeat(warmUp, 0);
  const times = await repeat(effort, warmUp.seconds / secondsAll);
  return { secondsPerStep: median(times), steps: times.length };
}
