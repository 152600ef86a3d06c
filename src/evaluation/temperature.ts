import { type Batch, IGNORED_TARGET } from "../data/batch.js";
import type { CharRnn, ModelState } from "../model/char-rnn.js";
import { Turns, unlessAborted } from "../turns.js";
import { zeroStates } from "./mean-loss.js";

/** A temperature outside of these says more about the text than about the model. */
const LEAST = 0.8;
const MOST = 2;
/** Of the reciprocal of the temperature: as much changes the loss by some 0.00001. */
const TOLERANCE = 5e-3;
const FIRST_STEP = 0.05;
const MOST_TRIES = 8;

/**
 * The temperature with which models that predict together have the lowest loss on a text: their logits are divided by it
 * (Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2), and their probabilities averaged.
 *
 * @param models of one shape
 * @param near a temperature from which it may not be far
 * @returns 1 where the text has nothing to predict, or the models have no finite loss on it; undefined when `signal` stops it
 */
export async function fitTemperature(
  models: readonly CharRnn[],
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  { near = 1, signal }: { near?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<number | undefined> {
  const turns = new Turns(signal);
  const fit = async () => {
    const predicted = await logitsOf(models, batches, turns);
    if (predicted.targets.length === 0) return 1;
    const slopeAt = (reciprocal: number) => slopeOfLoss(predicted, reciprocal, turns);
    const reciprocal = await rootNear(1 / near, slopeAt, 1 / MOST, 1 / LEAST);
    return reciprocal === undefined ? 1 : 1 / reciprocal;
  };
  return unlessAborted(fit(), signal);
}

/** What models say of the positions of a text that have a target. */
interface Predicted {
  readonly targets: readonly number[];
  /** By position, and then of each model, `[vocabulary]`. */
  readonly logits: readonly (readonly Float32Array[])[];
}

async function logitsOf(
  models: readonly CharRnn[],
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  turns: Turns,
): Promise<Predicted> {
  const [{ vocabularySize: size }] = models;
  const targets: number[] = [];
  const logits: Float32Array[][] = [];
  let states: ModelState[] | undefined;
  for await (const batch of batches) {
    await turns.take();
    if (batch.startsFresh || states === undefined) states = zeroStates(models, batch);
    const before = states;
    const hasTargets = batch.targets.some((target) => target !== IGNORED_TARGET);
    const all = models.map(() => new Float32Array(hasTargets ? batch.targets.length * size : 0));
    states = await turns.during(() =>
      models.map((model, k) =>
        hasTargets
          ? model.scoreWithLogits(batch, before[k], all[k]).state
          : model.trace(batch, before[k]).state,
      ),
    );
    for (const [position, target] of batch.targets.entries()) {
      if (target === IGNORED_TARGET) continue;
      targets.push(target);
      logits.push(all.map((of) => of.slice(position * size, (position + 1) * size)));
    }
  }
  return { targets, logits };
}

/** The derivative of the mean loss with respect to the reciprocal of the temperature. */
async function slopeOfLoss(
  { targets, logits }: Predicted,
  reciprocal: number,
  turns: Turns,
): Promise<number> {
  let sum = 0;
  for (const [position, target] of targets.entries()) {
    if (turns.isDue()) await turns.take();
    let [probability, slope] = [0, 0];
    for (const own of logits[position]) {
      const { mean, partition, largest } = expectation(own, reciprocal);
      const likelihood = Math.exp(reciprocal * (own[target] - largest)) / partition;
      probability += likelihood;
      slope += likelihood * (own[target] - mean);
    }
    sum -= slope / probability;
  }
  return sum / targets.length;
}

/** The mean of logits by the probabilities that they mean, and the sum to which those are relative. */
function expectation(logits: Float32Array, reciprocal: number) {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let [partition, sum] = [0, 0];
  for (const logit of logits) {
    const weight = Math.exp(reciprocal * (logit - largest));
    partition += weight;
    sum += weight * logit;
  }
  return { mean: sum / partition, partition, largest };
}

/**
 * Where an increasing function is zero, by the secant method.
 *
 * @returns the nearest bound where it is zero outside of them; undefined where it is no number
 */
async function rootNear(
  start: number,
  of: (value: number) => Promise<number>,
  least: number,
  most: number,
): Promise<number | undefined> {
  let [before, atBefore] = [start, await of(start)];
  let value = atBefore > 0 ? start - FIRST_STEP : start + FIRST_STEP;
  for (let k = 0; k < MOST_TRIES; k++) {
    const there = await of(value);
    if (!Number.isFinite(there) || !Number.isFinite(atBefore)) return undefined;
    const slope = (there - atBefore) / (value - before);
    const root = slope > 0 ? value - there / slope : there > 0 ? least : most;
    const next = Math.min(Math.max(root, least), most);
    if (Math.abs(next - value) < TOLERANCE) return next;
    [before, atBefore, value] = [value, there, next];
  }
  return value;
}
