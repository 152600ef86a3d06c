import { CharnnError } from "../errors.js";
import { type ModelState, type Score, sumOfScores } from "../model/char-rnn.js";
import { withWorkerStates, workerState } from "../model/worker-state.js";
import { Turns } from "../turns.js";
import { agreedScores } from "./agreed-scores.js";
import { Position } from "./position.js";
import type { SharedRun } from "./shared-run.js";

/** What a step has done. */
export interface Step {
  readonly score: Score;
  /** The global norm of the gradients before clipping; not finite where nothing was changed. */
  readonly gradientNorm: number;
}

/**
 * One step: the loss and its gradients with respect to the weights, and by them better weights. What is not
 * finite reaches neither the weights nor the state. All processes call it at the same time.
 *
 * @returns undefined when the signal of one process stopped it: the run is then as it was before
 * @throws CharnnError where one process can't take it
 */
export async function takeStep(
  run: SharedRun,
  learningRate: number,
  signal?: AbortSignal,
): Promise<Step | undefined> {
  const { learner, progress, ranks, config } = run;
  const position = new Position(run, learner.model);
  try {
    const checksum = isCompared(run) ? checksumOf(learner.model.parameters.read()) : 0;
    const own = { checksum, scores: await scoresOrError(run, position, signal) };
    const parts = agreedScores(ranks, own, {
      workers: learner.workers,
      parts: config.training.accumulate,
    });
    if (!parts) return undefined;
    const score = sumOfScores(parts.map(sumOfScores));
    const gradientNorm = Number.isFinite(score.loss)
      ? learner.update(learningRate, progress.step + 1)
      : Number.NaN;
    position.keep();
    return { score, gradientNorm };
  } finally {
    learner.forgetGradients();
  }
}

/** Now and then, the weights of all processes are compared. */
const STEPS_BETWEEN_COMPARISONS = 100;

function isCompared({ ranks, progress }: SharedRun): boolean {
  return ranks.size > 1 && progress.step % STEPS_BETWEEN_COMPARISONS === 0;
}

/** FNV-1a of the bits of all numbers, 32 bits. */
function checksumOf({ buffer, byteOffset, length }: Float32Array): number {
  let hash = 0x811c9dc5;
  for (const bits of new Uint32Array(buffer, byteOffset, length)) {
    hash = Math.imul(hash ^ bits, 0x01000193);
  }
  return hash;
}

/** The scores of this process; why it has none, where others must know; undefined when the signal stopped it. */
async function scoresOrError(
  run: SharedRun,
  position: Position,
  signal: AbortSignal | undefined,
): Promise<Score[][] | CharnnError | undefined> {
  try {
    return await lossAndGradients(run, position, signal);
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return undefined;
    if (error instanceof CharnnError) return error;
    throw error;
  }
}

/**
 * Truncated back-propagation through time over the batches of one step, whose gradients the learner adds up.
 *
 * @returns of each batch, the scores of this process's workers
 * @throws the signal's reason once it is aborted
 */
async function lossAndGradients(
  { learner, config: { training }, random, progress }: SharedRun,
  position: Position,
  signal: AbortSignal | undefined,
): Promise<Score[][]> {
  const turns = new Turns(signal);
  const { workers, own } = learner;
  const parts: Score[][] = [];
  for (let part = 0; part < training.accumulate; part++) {
    signal?.throwIfAborted();
    const batch = await position.next(signal);
    const dropout = { rates: training, random: random.fork("dropout", progress.step, part) };
    const scores: Score[] = [];
    const states = new Map<number, ModelState>();
    for (let worker = own.begin; worker < own.end; worker++) {
      if (turns.isDue()) await turns.take();
      const { score, state } = await turns.during(() =>
        learner.lossAndGradients(batch, position.state, dropout, worker),
      );
      scores.push(score);
      // The state goes on to the next batch; the gradient does not.
      const isSound = Number.isFinite(score.loss);
      states.set(worker, isSound ? state : workerState(position.state, worker, workers));
    }
    position.pass(withWorkerStates(position.state, states, workers));
    parts.push(scores);
  }
  return parts;
}
