import type { Batch } from "../data/batch.js";
import type { PositionScores, Score } from "../model/char-rnn.js";
import { Turns, unlessAborted } from "../turns.js";
import type { Predictor } from "./predictor.js";

/**
 * Scores a model on batches of text in order, carrying the state from one to the next where a batch
 * does not start fresh.
 *
 * @param visit is shown how each position of each batch was predicted
 * @returns undefined when `signal` stops it
 */
export async function evaluate<Kind extends Batch>(
  model: Predictor,
  batches: Iterable<Kind> | AsyncIterable<Kind>,
  signal?: AbortSignal,
  visit: (batch: Kind, positions: PositionScores) => void = () => {},
): Promise<Score | undefined> {
  return unlessAborted(scoreAll(model, batches, new Turns(signal), visit), signal);
}

async function scoreAll<Kind extends Batch>(
  model: Predictor,
  batches: Iterable<Kind> | AsyncIterable<Kind>,
  turns: Turns,
  visit: (batch: Kind, positions: PositionScores) => void,
): Promise<Score> {
  let loss = 0;
  let characters = 0;
  let correct = 0;
  let state: unknown;
  for await (const batch of batches) {
    // A batch can take long, so other work gets a turn before each one.
    await turns.take();
    if (batch.startsFresh || state === undefined) state = model.zeroState(batch.batch);
    const {
      score,
      positions,
      state: next,
    } = await turns.during(() => model.score(batch, state, turns));
    state = next;
    visit(batch, positions);
    loss += score.loss;
    characters += score.characters;
    correct += score.correct;
  }
  return { loss, characters, correct };
}
