import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "#src/data/batch.js";
import { learnedCharacters, workerBatch } from "#src/data/worker-batch.js";

/** Two steps of six rows, of which the last one is padding. */
const BATCH: Batch = {
  inputs: Int32Array.of(1, 2, 3, 4, 5, 0, 11, 12, 13, 14, 15, 0),
  targets: Int32Array.of(11, 12, 13, 14, 15, -1, 21, 22, 23, 24, -1, -1),
  before: Int32Array.from({ length: 24 }, (_, at) => at - 1),
  time: 2,
  batch: 6,
  startsFresh: false,
};

test("The batch of a worker has its rows of the batch of all, step by step", () => {
  assert.deepEqual(workerBatch(BATCH, 0, 3), {
    inputs: Int32Array.of(1, 2, 11, 12),
    targets: Int32Array.of(11, 12, 21, 22),
    before: Int32Array.of(-1, 0, 5, 6, 11, 12, 17, 18),
    time: 2,
    batch: 2,
    startsFresh: false,
  });
  assert.deepEqual(workerBatch(BATCH, 2, 3).targets, Int32Array.of(15, -1, -1, -1));
  const { before } = workerBatch(BATCH, 1, 3);
  assert.deepEqual(before, Int32Array.of(1, 2, 7, 8, 13, 14, 19, 20));
  assert.deepEqual(workerBatch(BATCH, 0, 1), BATCH);
});

test("Characters that are learned are those with a target", () => {
  assert.equal(learnedCharacters(BATCH), 9);
  assert.deepEqual(
    [0, 1, 2].map((worker) => learnedCharacters(workerBatch(BATCH, worker, 3))),
    [4, 4, 1],
  );
});
