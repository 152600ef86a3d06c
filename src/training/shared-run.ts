import type { ParameterArray } from "../backends/backend.js";
import type { Progress, RunConfig } from "../config/run.js";
import { batchRows } from "../config/run.js";
import type { Corpus } from "../data/corpus.js";
import { CharRnn, type ModelState } from "../model/char-rnn.js";
import { Learner } from "../optimization/learner.js";
import { Random } from "../random.js";
import { makeParts } from "../ranks/parts.js";
import type { Ranks } from "../ranks/ranks.js";
import { sharesOf } from "../ranks/share.js";
import type { Reader } from "./position.js";

/** What every process that trains a run has of it: all that it takes to take steps, and to score the held-out part. */
export interface SharedRun extends Reader {
  readonly ranks: Ranks;
  readonly config: RunConfig;
  readonly corpus: Pick<Corpus, "train" | "validation" | "documents" | "vocabulary">;
  readonly learner: Learner;
  /** What is evaluated and sampled from: the model, or another with the average of its weights. */
  readonly evalModel: CharRnn;
  readonly random: Random;
  readonly progress: Pick<Progress, "epoch" | "batch" | "step">;
  /** That of the sequences of this process's workers; of others only after {@link gatherState}. */
  state: ModelState;
}

/** A model with what it takes to train it. */
export function learningParts(model: CharRnn, { model: shape, training }: RunConfig, ranks: Ranks) {
  const learner = new Learner(model, training, ranks);
  const { average } = learner;
  return {
    ranks,
    learner,
    evalModel: average ? new CharRnn(model.backend, shape, average) : model,
    random: Random.fromSeed(training.randomSeed),
    state: model.zeroState(batchRows(training)),
  };
}

/** Frees the tensors of a run. */
export function disposeLearning({ learner, evalModel }: SharedRun): void {
  const { model } = learner;
  learner.dispose();
  model.dispose();
  if (evalModel !== model) evalModel.dispose();
}

/** Gives all processes the weights, moments and state that rank 0 has. Each calls it at the same time. */
export function shareNumbers(run: SharedRun): void {
  const { ranks, learner, state } = run;
  const arrays = [learner.model.parameters, learner.average, ...learner.optimizer.moments.values()];
  for (const array of arrays) if (array) shareArray(ranks, array);
  for (const { hidden, cellState } of state) {
    ranks.broadcast(bytesOf(hidden), 0);
    if (cellState) ranks.broadcast(bytesOf(cellState), 0);
  }
}

function shareArray(ranks: Ranks, array: ParameterArray): void {
  const values = array.read().slice();
  ranks.broadcast(bytesOf(values), 0);
  if (ranks.rank > 0) array.write(values);
}

/** Gives all processes the state of all sequences. Each calls it at the same time. */
export function gatherState(run: SharedRun): void {
  const { ranks, state, learner } = run;
  const shares = sharesOf(learner.workers, ranks.size);
  const gather = (own: Float32Array): Float32Array => {
    const ofWorker = own.byteLength / learner.workers;
    const all = makeParts(shares.map(({ begin, end }) => (end - begin) * ofWorker));
    const { begin, end } = shares[ranks.rank];
    ranks.gather(bytesOf(own).slice(begin * ofWorker, end * ofWorker), all);
    return new Float32Array(all.bytes.buffer);
  };
  run.state = state.map(({ hidden, cellState }) =>
    cellState
      ? { hidden: gather(hidden), cellState: gather(cellState) }
      : { hidden: gather(hidden) },
  );
}

/** The bytes of an array, as they are in memory. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
