import { disposeAll } from "../backends/scope.js";
import type { Score } from "../model/char-rnn.js";
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

/**
 * One step: the gradients of as many batches as make one, and the update. What is not finite never
 * reaches the weights, the optimizer's moments or the state.
 */
export function learn(learner: Learner): Learned {
  const { model, average, gradients, optimizer, progress, gradientSum } = learner;
  const { training } = learner.config;
  let [loss, characters, hits] = [0, 0, 0];
  for (let part = 0; part < training.accumulate; part++) {
    const score = learnBatch(learner, part);
    if (training.accumulate > 1) gradientSum.add(gradients, score.characters);
    loss += score.loss;
    characters += score.characters;
    hits += score.hits;
  }
  gradientSum.takeMean(gradients);
  const learningRate = learningRateAt(progress, training);
  progress.step++;
  const arrays = { parameters: model.parameters, gradients, average };
  const gradientNorm = Number.isFinite(loss)
    ? optimizer.step(arrays, learningRate, progress.step)
    : Number.NaN;
  const dropped = !Number.isFinite(gradientNorm);
  return { score: { loss, characters, hits }, learningRate, gradientNorm, dropped };
}

/** Truncated back-propagation through time over the next batch: forward, loss, backward. */
function learnBatch(learner: Learner, part: number): Score {
  const { config, model, gradients, batches, random, progress } = learner;
  const batch = batches.at(progress.epoch, progress.batch);
  if (batch.startsFresh) {
    disposeAll(learner.state);
    learner.state = model.zeroState(batch.batch);
  }
  const dropout = { rates: config.training, random: random.fork("dropout", progress.step, part) };
  const { score, state } = model.learn(batch, learner.state, gradients, dropout);
  // The state goes on to the next window; the gradient does not.
  const [kept, old] = Number.isFinite(score.loss) ? [state, learner.state] : [learner.state, state];
  disposeAll(old);
  learner.state = kept;
  progress.batch++;
  if (progress.batch === batches.batchesInEpoch(progress.epoch)) {
    progress.epoch++;
    progress.batch = 0;
  }
  return score;
}
