import type { ParameterArray } from "../backends/backend.js";
import type { Progress, RunConfig } from "../config/run.js";
import type { Corpus } from "../data/corpus.js";
import { makeParts } from "../ranks/parts.js";
import type { Ranks } from "../ranks/ranks.js";
import { sharesOf } from "../ranks/share.js";
import { arraysOf, type Member } from "./member.js";
import type { Reader } from "./position.js";

/** What every process that trains a run has of it: all that it takes to take steps, and to score the held-out part. */
export interface SharedRun extends Reader {
  readonly ranks: Ranks;
  readonly config: RunConfig;
  readonly corpus: Pick<Corpus, "train" | "validation" | "documents" | "vocabulary">;
  /** The models that are trained, and predict together; one at least. */
  readonly members: readonly Member[];
  readonly progress: Pick<Progress, "epoch" | "batch" | "step">;
}

/** Gives all processes the weights, moments and states that rank 0 has. Each calls it at the same time. */
export function shareNumbers({ ranks, members }: SharedRun): void {
  for (const member of members) {
    for (const array of arraysOf(member)) shareArray(ranks, array);
    for (const { hidden, cellState } of member.state) {
      ranks.broadcast(bytesOf(hidden), 0);
      if (cellState) ranks.broadcast(bytesOf(cellState), 0);
    }
  }
}

function shareArray(ranks: Ranks, array: ParameterArray): void {
  const values = array.read().slice();
  ranks.broadcast(bytesOf(values), 0);
  if (ranks.rank > 0) array.write(values);
}

/** Gives all processes the states of all sequences. Each calls it at the same time. */
export function gatherStates({ ranks, members }: SharedRun): void {
  const [{ learner }] = members;
  const shares = sharesOf(learner.workers, ranks.size);
  const gather = (own: Float32Array): Float32Array => {
    const ofWorker = own.byteLength / learner.workers;
    const all = makeParts(shares.map(({ begin, end }) => (end - begin) * ofWorker));
    const { begin, end } = shares[ranks.rank];
    ranks.gather(bytesOf(own).slice(begin * ofWorker, end * ofWorker), all);
    return new Float32Array(all.bytes.buffer);
  };
  for (const member of members) {
    member.state = member.state.map(({ hidden, cellState }) =>
      cellState
        ? { hidden: gather(hidden), cellState: gather(cellState) }
        : { hidden: gather(hidden) },
    );
  }
}

/** The bytes of an array, as they are in memory. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
