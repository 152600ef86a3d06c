import { disposeAll } from "../backends/scope.js";
import type { Batch } from "../data/batch.js";
import type { CharRnn, ModelState, PlaceScores, Score } from "../model/char-rnn.js";
import { Turns } from "../turns.js";

/**
 * Scores a model on batches of text in order, carrying the state from one to the next where a batch
 * does not start fresh.
 *
 * @param visit is shown how each place of each batch was predicted
 * @returns undefined when `signal` stops it
 */
export async function evaluate<Kind extends Batch>(
  model: CharRnn,
  batches: Iterable<Kind>,
  signal?: AbortSignal,
  visit?: (batch: Kind, places: PlaceScores) => void,
): Promise<Score | undefined> {
  const turns = new Turns();
  let loss = 0;
  let characters = 0;
  let hits = 0;
  let state: ModelState | undefined;
  for (const batch of batches) {
    // A batch takes long enough for a turn of its own.
    await turns.take();
    if (signal?.aborted) break;
    if (batch.startsFresh && state) {
      disposeAll(state);
      state = undefined;
    }
    const before: ModelState = state ?? model.zeroState(batch.batch);
    const result = model.score(batch, before);
    disposeAll(before);
    state = result.state;
    visit?.(batch, result.places);
    loss += result.score.loss;
    characters += result.score.characters;
    hits += result.score.hits;
  }
  if (state) disposeAll(state);
  return signal?.aborted ? undefined : { loss, characters, hits };
}

/** Nats per character as bits per character. */
export function bitsPerCharacter(loss: number): number {
  return loss / Math.LN2;
}
