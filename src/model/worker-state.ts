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

/** The state of all sequences, from that of each worker. */
export function joinedState(states: readonly ModelState[]): ModelState {
  if (states.length === 1) return states[0];
  return states[0].map(({ cellState }, layer) => {
    const hidden = joined(states.map((state) => state[layer].hidden));
    if (!cellState) return { hidden };
    const ofWorkers = states.map((state) => state[layer].cellState as Float32Array);
    return { hidden, cellState: joined(ofWorkers) };
  });
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
