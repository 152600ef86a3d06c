import type { ModelState } from "./char-rnn.js";

/** The state of one worker's sequences, views of the state of all. */
export function workerState(state: ModelState, worker: number, workers: number): ModelState {
  const own = (all: Float32Array) => {
    const length = all.length / workers;
    return all.subarray(worker * length, (worker + 1) * length);
  };
  return state.map(({ hidden, cellState }) =>
    cellState ? { hidden: own(hidden), cellState: own(cellState) } : { hidden: own(hidden) },
  );
}

/** A copy of the state of all sequences, in which some workers have others. */
export function withWorkerStates(
  state: ModelState,
  ofWorkers: ReadonlyMap<number, ModelState>,
  workers: number,
): ModelState {
  const only = workers === 1 ? ofWorkers.get(0) : undefined;
  if (only) return only;
  const copy = copyOf(state);
  for (const [worker, own] of ofWorkers) {
    for (const [layer, { hidden, cellState }] of workerState(copy, worker, workers).entries()) {
      hidden.set(own[layer].hidden);
      cellState?.set(own[layer].cellState as Float32Array);
    }
  }
  return copy;
}

function copyOf(state: ModelState): ModelState {
  return state.map(({ hidden, cellState }) =>
    cellState
      ? { hidden: hidden.slice(), cellState: cellState.slice() }
      : { hidden: hidden.slice() },
  );
}
