import { greatest } from "../arrays.js";
import type { Batch } from "../data/batch.js";
import { CharnnError } from "../errors.js";
import { type ModelState, type Score, sumOfScores } from "../model/char-rnn.js";
import { withWorkerStates, workerState } from "../model/worker-state.js";
import { Turns } from "../turns.js";
import { agreedScores } from "./agreed-scores.js";
import type { Member } from "./member.js";
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
  const { members, ranks, config } = run;
  const [{ learner }] = members;
  const position = new Position(run);
  try {
    const checksum = isCompared(run) ? checksumOf(members) : 0;
    const own = { checksum, scores: await scoresOrError(run, position, signal) };
    const parts = agreedScores(ranks, own, {
      workers: learner.workers,
      parts: members.length * config.training.accumulate,
    });
    if (!parts) return undefined;
    const score = meanOfMembers(sumOfScores(parts.map(sumOfScores)), members.length);
    const gradientNorm = Number.isFinite(score.loss) ? update(run, learningRate) : Number.NaN;
    position.keep();
    return { score, gradientNorm };
  } finally {
    for (const member of members) member.learner.forgetGradients();
  }
}

/** All have predicted the same characters. */
function meanOfMembers({ loss, characters, correct }: Score, members: number): Score {
  return {
    loss: loss / members,
    characters: characters / members,
    correct: correct / members,
  };
}

/** @returns the largest norm of the members' gradients; NaN where one was not finite, which has not changed its member */
function update({ members, progress }: SharedRun, learningRate: number): number {
  const norms = members.map(({ learner }) => learner.update(learningRate, progress.step + 1));
  return norms.every(Number.isFinite) ? greatest(norms) : Number.NaN;
}

/** Now and then, the weights of all processes are compared. */
const STEPS_BETWEEN_COMPARISONS = 100;

function isCompared({ ranks, progress }: SharedRun): boolean {
  return ranks.size > 1 && progress.step % STEPS_BETWEEN_COMPARISONS === 0;
}

/** FNV-1a of the bits of all weights, 32 bits. */
function checksumOf(members: readonly Member[]): number {
  let hash = 0x811c9dc5;
  for (const { learner } of members) {
    const { buffer, byteOffset, length } = learner.model.parameters.read();
    for (const bits of new Uint32Array(buffer, byteOffset, length)) {
      hash = Math.imul(hash ^ bits, 0x01000193);
    }
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
 * Truncated back-propagation through time over the batches of one step, whose gradients the learners add up.
 *
 * @returns of each batch, and of each member there, the scores of this process's workers
 * @throws the signal's reason once it is aborted
 */
async function lossAndGradients(
  run: SharedRun,
  position: Position,
  signal: AbortSignal | undefined,
): Promise<Score[][]> {
  const turns = new Turns(signal);
  const parts: Score[][] = [];
  for (let part = 0; part < run.config.training.accumulate; part++) {
    signal?.throwIfAborted();
    const batch = await position.next(signal);
    const states: ModelState[] = [];
    for (const [index, member] of run.members.entries()) {
      const before = position.states[index];
      const { scores, state } = await learnBatch(run, member, { batch, part, before }, turns);
      parts.push(scores);
      states.push(state);
    }
    position.pass(states);
  }
  return parts;
}

/** The same for one member and one batch: its workers of this process. */
async function learnBatch(
  { config: { training }, progress }: SharedRun,
  { learner, random }: Member,
  { batch, part, before }: { batch: Batch; part: number; before: ModelState },
  turns: Turns,
): Promise<{ scores: Score[]; state: ModelState }> {
  const { workers, own } = learner;
  const dropout = { rates: training, random: random.fork("dropout", progress.step, part) };
  const scores: Score[] = [];
  const states = new Map<number, ModelState>();
  for (let worker = own.begin; worker < own.end; worker++) {
    if (turns.isDue()) await turns.take();
    const { score, state } = await turns.during(() =>
      learner.lossAndGradients(batch, before, dropout, worker),
    );
    scores.push(score);
    // The state goes on to the next batch; the gradient does not.
    const isSound = Number.isFinite(score.loss);
    states.set(worker, isSound ? state : workerState(before, worker, workers));
  }
  return { scores, state: withWorkerStates(before, states, workers) };
}
