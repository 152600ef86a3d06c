import type { Batch } from "../data/batch.js";
import { rowsOf } from "../data/worker-batch.js";
import { meanLoss, scoreTogether, zeroStates } from "../evaluation/mean-loss.js";
import { addLosses, type LossSum, lossSum, type ModelState, NO_LOSSES } from "../model/char-rnn.js";
import { makeParts, type Parts, partOf } from "../ranks/parts.js";
import { type Share, sharesOf } from "../ranks/share.js";
import { Turns } from "../turns.js";
import { setTemperature } from "./calibration.js";
import type { Command } from "./commands.js";
import { heldOutBatches } from "./held-out.js";
import type { SharedRun } from "./shared-run.js";

type EvaluateCommand = Extract<Command, { readonly kind: "evaluate" }>;

/**
 * Scores the held-out part, each process some rows of every batch. The sums are made in the order of one process, so
 * that they are the same for every number of processes. All processes call it at the same time.
 *
 * @param most characters, about
 * @param temperature undefined where the run is not calibrated
 * @param signal of rank 0
 * @returns undefined when the signal stopped it
 */
export async function evaluateTogether(
  { ranks, config, members, corpus }: SharedRun,
  { most, temperature }: Pick<EvaluateCommand, "most" | "temperature">,
  signal?: AbortSignal,
): Promise<LossSum | undefined> {
  if (temperature !== undefined) setTemperature(members, temperature);
  const models = members.map(({ evalModel }) => evalModel);
  // TensorFlow's results depend on how many rows there are.
  if (ranks.size === 1 || models[0].backend.name === "tensorflow") {
    if (ranks.rank > 0) return undefined;
    return meanLoss(models, heldOutBatches(config, corpus, most, signal), signal);
  }
  // Without the signal, which must not end this before the others know.
  const turns = new Turns();
  const sums: LossSum[] = [];
  let states: ModelState[] | undefined;
  for await (const batch of heldOutBatches(config, corpus, most)) {
    await turns.take();
    const shares = sharesOf(batch.batch, ranks.size);
    const { begin, end } = shares[ranks.rank];
    const own = rowsOf(batch, begin, end);
    if (own.startsFresh || states === undefined) states = zeroStates(models, own);
    const before = states;
    const scored = await turns.during(() => scoreTogether(models, own, before));
    states = scored.states;
    const received = makeParts(shares.map((share) => encodedBytes(batch, share)));
    ranks.gather(encode(scored.losses, signal?.aborted === true), received);
    const together = decode(batch, shares, received);
    if (!together) return undefined;
    sums.push(lossSum(batch, together));
  }
  return sums.reduce(addLosses, NO_LOSSES);
}

/** Whether the process is to stop, and a loss for each position. */
function encodedBytes({ time }: Batch, { begin, end }: Share): number {
  return 4 * (1 + time * (end - begin));
}

function encode(losses: Float32Array, isStopped: boolean): Uint8Array {
  const numbers = new Float32Array(1 + losses.length);
  numbers[0] = isStopped ? 1 : 0;
  numbers.set(losses, 1);
  return new Uint8Array(numbers.buffer);
}

/** The losses of all rows, `[time, batch]`; undefined where a process is to stop. */
function decode(
  { time, batch }: Batch,
  shares: readonly Share[],
  received: Parts,
): Float32Array | undefined {
  const losses = new Float32Array(time * batch);
  for (const [rank, { begin, end }] of shares.entries()) {
    const numbers = new Float32Array(partOf(received, rank).slice().buffer);
    if (numbers[0] !== 0) return undefined;
    const ofRank = numbers.subarray(1);
    const rows = end - begin;
    for (let step = 0; step < time; step++) {
      losses.set(ofRank.subarray(step * rows, (step + 1) * rows), step * batch + begin);
    }
  }
  return losses;
}
