import { BatchArrays, fillRow, IGNORED_TARGET, type PositionedBatch } from "../data/batch.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import type { Tokens, Vocabulary } from "../data/vocabulary.js";
import { evaluate } from "./evaluate.js";
import type { Predictor } from "./predictor.js";

/** The loss of characters that come this far after a state of zero. */
export interface PositionLoss {
  /** How many characters were read before, from the first to the last of these. */
  readonly from: number;
  readonly to: number;
  /** Nats/character. */
  readonly loss: number;
  readonly characters: number;
}

/** Groups of characters, each twice as large as the one before. */
const GROUPS = 8;
/** Characters that are predicted from one state of zero: all of these groups. */
const WINDOW = 2 ** GROUPS - 1;
/** Windows of a batch, and in all: enough for a third decimal, and no more work than need be. */
const BATCH_SIZE = 64;
const MAX_WINDOWS = 1_024;

/**
 * How the loss falls after a cold start, that is a state of zero: in groups of 1, 2, 4 ... characters.
 * A text is cut into windows that are read separately, evenly spread where it is long; with `documents`
 * each of them is one.
 *
 * @returns undefined when `signal` stops it
 */
export async function lossByPosition(
  model: Predictor,
  tokens: Tokens,
  documents: string | undefined,
  vocabulary: Vocabulary,
  signal?: AbortSignal,
): Promise<PositionLoss[] | undefined> {
  const losses = new Float64Array(GROUPS);
  const counts = new Float64Array(GROUPS);
  let read = 0;
  const batches = documents
    ? evaluationBatches(tokens, documents, vocabulary, { signal })
    : windows(tokens);
  const score = await evaluate(model, batches, signal, (batch, { losses: ofBatch }) => {
    if (batch.startsFresh) read = 0;
    for (let step = 0; step < batch.time && read + step < WINDOW; step++) {
      // One character has been read when the first is predicted.
      const group = Math.floor(Math.log2(read + step + 1));
      for (let row = 0; row < batch.batch; row++) {
        const at = step * batch.batch + row;
        if (batch.targets[at] === IGNORED_TARGET) continue;
        losses[group] += ofBatch[at];
        counts[group]++;
      }
    }
    read += batch.time;
  });
  if (!score) return undefined;
  const all = Array.from(losses, (loss, group) => ({
    from: 2 ** group,
    to: 2 ** (group + 1) - 1,
    loss: loss / counts[group],
    characters: counts[group],
  }));
  return all.filter(({ characters }) => characters > 0);
}

/** A text in pieces that are read side by side, each from a state of zero. */
function* windows(tokens: Tokens): Generator<PositionedBatch> {
  const predictions = tokens.length - 1;
  const count = Math.min(Math.ceil(predictions / WINDOW), MAX_WINDOWS);
  const rows = Math.min(count, BATCH_SIZE);
  const arrays = new BatchArrays(WINDOW, rows);
  for (let first = 0; first < count; first += rows) {
    const batch = arrays.empty(Math.min(WINDOW, predictions), true);
    for (let row = 0; row < Math.min(rows, count - first); row++) {
      fillRow(batch, row, tokens, Math.floor(((first + row) * predictions) / count));
    }
    yield batch;
  }
}
