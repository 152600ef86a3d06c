import { type Batch, IGNORED_TARGET } from "./batch.js";

/** The batch of one worker: its columns of the batch of all, which are `batch.batch / workers` each. */
export function workerBatch(
  { inputs, targets, time, batch, startsFresh }: Batch,
  worker: number,
  workers: number,
): Batch {
  const rows = batch / workers;
  const columns = (all: Int32Array) => {
    const own = new Int32Array(time * rows);
    for (let step = 0; step < time; step++) {
      const first = step * batch + worker * rows;
      own.set(all.subarray(first, first + rows), step * rows);
    }
    return own;
  };
  return { inputs: columns(inputs), targets: columns(targets), time, batch: rows, startsFresh };
}

/** How many characters of a batch are learned. */
export function learnedCharacters({ targets }: Batch): number {
  let characters = 0;
  for (const target of targets) if (target !== IGNORED_TARGET) characters++;
  return characters;
}
