/** The loss of several models that predict together: each probability is the mean of theirs. */
import type { Batch } from "../data/batch.js";
import {
  addLosses,
  type CharRnn,
  type LossSum,
  lossSum,
  type ModelState,
  NO_LOSSES,
} from "../model/char-rnn.js";
import { Turns, unlessAborted } from "../turns.js";

/**
 * Scores models on batches of text in order, carrying their states from one to the next where a batch does not start
 * fresh.
 *
 * @param models of one shape
 * @returns undefined when `signal` stops it
 */
export async function meanLoss(
  models: readonly CharRnn[],
  batches: AsyncIterable<Batch>,
  signal?: AbortSignal,
): Promise<LossSum | undefined> {
  const turns = new Turns(signal);
  const scoreAll = async () => {
    let sum = NO_LOSSES;
    let states: ModelState[] | undefined;
    for await (const batch of batches) {
      // A batch can take long, so other work gets a turn before each one.
      await turns.take();
      if (batch.startsFresh || states === undefined) states = zeroStates(models, batch);
      const before = states;
      const scored = await turns.during(() => scoreTogether(models, batch, before));
      states = scored.states;
      sum = addLosses(sum, lossSum(batch, scored.losses));
    }
    return sum;
  };
  return unlessAborted(scoreAll(), signal);
}

/** The states of models before any text. */
export function zeroStates(models: readonly CharRnn[], { batch }: Batch): ModelState[] {
  return models.map((model) => model.zeroState(batch));
}

/** The losses of a batch, nats, `[time, batch]`. */
export function scoreTogether(
  models: readonly CharRnn[],
  batch: Batch,
  states: readonly ModelState[],
): { losses: Float32Array; states: ModelState[] } {
  if (batch.batch === 0) return { losses: new Float32Array(), states: [...states] };
  const scored = models.map((model, index) => model.score(batch, states[index]));
  return {
    losses: lossesOfMean(scored.map(({ positions }) => positions.losses)),
    states: scored.map(({ state }) => state),
  };
}

/** @param losses by model, of the same positions */
function lossesOfMean(losses: readonly Float32Array[]): Float32Array {
  const [first, ...others] = losses;
  if (others.length === 0) return first;
  return first.map((own, position) => {
    // Of the likeliest first, so that the sum is a number.
    let least = own;
    for (const other of others) least = Math.min(least, other[position]);
    let sum = Math.exp(least - own);
    for (const other of others) sum += Math.exp(least - other[position]);
    return least - Math.log(sum / losses.length);
  });
}
