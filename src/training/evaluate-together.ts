import type { Batch } from "../data/batch.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import { rowsOf } from "../data/worker-batch.js";
import { evaluate } from "../evaluation/evaluate.js";
import {
  type CharRnn,
  type ModelState,
  type PositionScores,
  type Score,
  scoreOf,
  sumOfScores,
} from "../model/char-rnn.js";
import { makeParts, type Parts, partOf } from "../ranks/parts.js";
import { type Share, sharesOf } from "../ranks/share.js";
import { Turns } from "../turns.js";
import type { SharedRun } from "./shared-run.js";

/**
 * Scores the held-out part, each process some rows of every batch. The sums are made in the order of one process, so
 * that they are the same for every number of processes. All processes call it at the same time.
 *
 * @param most characters, about
 * @param signal of rank 0
 * @returns undefined when the signal stopped it
 */
export async function evaluateTogether(
  { ranks, evalModel, corpus }: SharedRun,
  most: number | undefined,
  signal?: AbortSignal,
): Promise<Score | undefined> {
  const { validation, documents, vocabulary } = corpus;
  const { tokens } = validation;
  // TensorFlow's results depend on how many rows there are.
  if (ranks.size === 1 || evalModel.backend.name === "tensorflow") {
    if (ranks.rank > 0) return undefined;
    const batches = evaluationBatches(tokens, documents, vocabulary, { most, signal });
    return evaluate(evalModel, batches, signal);
  }
  // Without the signal, which must not end this before the others know.
  const turns = new Turns();
  const scores: Score[] = [];
  let state: ModelState | undefined;
  for await (const batch of evaluationBatches(tokens, documents, vocabulary, { most })) {
    await turns.take();
    const shares = sharesOf(batch.batch, ranks.size);
    const { begin, end } = shares[ranks.rank];
    const own = rowsOf(batch, begin, end);
    if (own.startsFresh || state === undefined) state = evalModel.zeroState(own.batch);
    const scored = await turns.during(() => scoreRows(evalModel, own, state as ModelState));
    state = scored.state;
    const received = makeParts(shares.map((share) => encodedBytes(batch, share)));
    ranks.gather(encode(scored, signal?.aborted === true), received);
    const together = decode(batch, shares, received);
    if (!together) return undefined;
    scores.push(scoreOf(batch, together));
  }
  return sumOfScores(scores);
}

type Scored = Pick<PositionScores, "losses" | "predictions"> & { readonly state: ModelState };

function scoreRows(model: CharRnn, batch: Batch, state: ModelState): Scored {
  if (batch.batch === 0)
    return { losses: new Float32Array(), predictions: new Int32Array(), state };
  const { positions, state: after } = model.score(batch, state);
  return { ...positions, state: after };
}

/** Whether the process is to stop, and a loss and a prediction for each position. */
function encodedBytes({ time }: Batch, { begin, end }: Share): number {
  return 4 * (1 + 2 * time * (end - begin));
}

function encode({ losses, predictions }: Scored, isStopped: boolean): Uint8Array {
  const numbers = new Int32Array(1 + 2 * losses.length);
  numbers[0] = isStopped ? 1 : 0;
  new Float32Array(numbers.buffer, 4).set(losses);
  numbers.set(predictions, 1 + losses.length);
  return new Uint8Array(numbers.buffer);
}

/** The scores of all rows, `[time, batch]`; undefined where a process is to stop. */
function decode({ time, batch }: Batch, shares: readonly Share[], received: Parts) {
  const losses = new Float32Array(time * batch);
  const predictions = new Int32Array(time * batch);
  for (const [rank, { begin, end }] of shares.entries()) {
    const { buffer } = partOf(received, rank).slice();
    const [isStopped] = new Int32Array(buffer, 0, 1);
    if (isStopped) return undefined;
    const rows = end - begin;
    const [ofLosses, ofPredictions] = [
      new Float32Array(buffer, 4, time * rows),
      new Int32Array(buffer, 4 + 4 * time * rows, time * rows),
    ];
    for (let step = 0; step < time; step++) {
      const own = step * rows;
      losses.set(ofLosses.subarray(own, own + rows), step * batch + begin);
      predictions.set(ofPredictions.subarray(own, own + rows), step * batch + begin);
    }
  }
  return { losses, predictions };
}
