import { type Batch, IGNORED_TARGET } from "./batch.js";

/** The batch of one worker: its rows of the batch of all, which are `batch.batch / workers` each. */
export function workerBatch(batch: Batch, worker: number, workers: number): Batch {
  const rows = batch.batch / workers;
  return rowsOf(batch, worker * rows, (worker + 1) * rows);
}

/** A part of a batch: its rows from `begin` to before `end`, copied. */
export function rowsOf(
  { inputs, targets, before, time, batch, startsFresh }: Batch,
  begin: number,
  end: number,
): Batch {
  const rows = end - begin;
  const columns = (all: Int32Array) => {
    const steps = all.length / batch;
    const own = new Int32Array(steps * rows);
    for (let step = 0; step < steps; step++) {
      const first = step * batch;
      own.set(all.subarray(first + begin, first + end), step * rows);
    }
    return own;
  };
  return {
    inputs: columns(inputs),
    targets: columns(targets),
    before: columns(before),
    time,
    batch: rows,
    startsFresh,
  };
}

/** How many characters of a batch are learned. */
export function learnedCharacters({ targets }: Batch): number {
  let characters = 0;
  for (const target of targets) if (target !== IGNORED_TARGET) characters++;
  return characters;
}
