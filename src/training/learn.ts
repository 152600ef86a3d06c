import { disposeAll } from "../backends/scope.js";
import type { ModelState, Score } from "../model/char-rnn.js";
import { Turns, unlessAborted } from "../turns.js";
import type { Learner } from "./run.js";
import { learningRateAt } from "./schedule.js";

/** How a step went. */
export interface Learned {
  readonly score: Score;
  readonly learningRate: number;
  /** Of the gradients, before clipping. */
  readonly gradientNorm: number;
  /** Whether the loss or a gradient was not finite, so that nothing was changed. */
  readonly dropped: boolean;
}

/** Where in the text a step has come to, and the state that goes into its next batch. */
interface Position {
  epoch: number;
  batch: number;
  state: ModelState;
}

/**
 * One step: the gradients of as many batches as make one, and the update. What is not finite never
 * reaches the weights, the optimizer's moments or the state.
 *
 * @returns undefined when `signal` stops it: the learner is then as it was before the step
 */
export async function learn(learner: Learner, signal?: AbortSignal): Promise<Learned | undefined> {
  const { model, average, gradients, optimizer, progress, gradientSum } = learner;
  const { epoch, batch } = progress;
  const position: Position = { epoch, batch, state: learner.state };
  try {
    const score = await unlessAborted(learnBatches(learner, position, signal), signal);
    if (!score) return undefined;
    gradientSum.takeMean(gradients);
    const learningRate = learningRateAt(progress, learner.config.training);
    const arrays = { parameters: model.parameters, gradients, average };
    const gradientNorm = Number.isFinite(score.loss)
      ? optimizer.step(arrays, learningRate, progress.step + 1)
      : Number.NaN;
    progress.step++;
    progress.epoch = position.epoch;
    progress.batch = position.batch;
    const before = learner.state;
    learner.state = position.state;
    if (before !== learner.state) disposeAll(before);
    return { score, learningRate, gradientNorm, dropped: !Number.isFinite(gradientNorm) };
  } finally {
    gradientSum.clear();
    moveTo(learner, position, learner.state);
  }
}

/**
 * The batches of one step, whose gradients are added up.
 *
 * @throws the signal's reason once it is aborted
 */
async function learnBatches(
  learner: Learner,
  position: Position,
  signal: AbortSignal | undefined,
): Promise<Score> {
  const { config, gradients, gradientSum } = learner;
  const { accumulate } = config.training;
  const turns = new Turns(signal);
  let [loss, characters, correct] = [0, 0, 0];
  for (let part = 0; part < accumulate; part++) {
    if (turns.isDue()) await turns.take();
    signal?.throwIfAborted();
    await learner.batches.prepare(position.epoch, signal);
    const score = await turns.during(() => learnBatch(learner, part, position));
    if (accumulate > 1) gradientSum.add(gradients, score.characters);
    loss += score.loss;
    characters += score.characters;
    correct += score.correct;
  }
  return { loss, characters, correct };
}

/** Truncated back-propagation through time over the next batch: forward, loss, backward. */
function learnBatch(learner: Learner, part: number, position: Position): Score {
  const { config, model, gradients, batches, random, progress } = learner;
  const batch = batches.at(position.epoch, position.batch);
  if (batch.startsFresh) moveTo(learner, position, model.zeroState(batch.batch));
  const dropout = { rates: config.training, random: random.fork("dropout", progress.step, part) };
  const { score, state } = model.learn(batch, position.state, gradients, dropout);
  // The state goes on to the next window; the gradient does not.
  if (Number.isFinite(score.loss)) moveTo(learner, position, state);
  else disposeAll(state);
  position.batch++;
  if (position.batch === batches.batchesInEpoch(position.epoch)) {
    position.epoch++;
    position.batch = 0;
  }
  return score;
}

/** Puts another state in the place of a position's. That of the learner stays until the step is done. */
function moveTo(learner: Learner, position: Position, state: ModelState): void {
  if (position.state !== state && position.state !== learner.state) disposeAll(position.state);
  position.state = state;
}
