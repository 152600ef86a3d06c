/** The memory that several processes need for a training. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBackend } from "#src/backends/select.js";
import { modelConfig } from "#src/config/model.js";
import { parameterCount } from "#src/config/parameters.js";
import { WorkerGradients } from "#src/optimization/worker-gradients.js";
import { refuseTooLarge, type TrainingShape, trainingBytes } from "#src/planning/memory-need.js";
import { alone } from "#src/ranks/alone.js";
import { failsWith } from "../helpers/failure.js";

const model = modelConfig({
  cell: "gru",
  layers: 1,
  hiddenSize: 512,
  embeddingSize: 64,
  vocabularySize: 65,
});

function shapeOf(workers: number, count: number, here = count): TrainingShape {
  const training = {
    batchSize: 1,
    workers,
    seqLength: 8,
    optimizer: "adam",
    averageDecay: 0,
    accumulate: 1,
    dropout: 0,
    recurrentDropout: 0,
  } as const;
  return {
    model,
    training,
    backend: { name: "wasm", threads: 1 },
    evaluation: undefined,
    streams: 1,
    processes: { count, here },
  };
}

test("What the gradients of all workers take in each process is as much as is reckoned", async () => {
  const backend = await openBackend("wasm", 1);
  const cases = [
    [8, 1],
    [8, 2],
    [64, 8],
    [4, 2],
  ] as const;
  for (const [workers, size] of cases) {
    const ranks = { ...alone(), size };
    const taken = bytesMade(() => {
      new WorkerGradients(backend, ranks, workers, parameterCount(model));
    });
    const reckoned = trainingBytes(shapeOf(workers, size)) - trainingBytes(shapeOf(1, size));
    const what = `${workers} workers in ${size} processes: ${taken} of ${reckoned} bytes`;
    assert.ok(taken > 0.9 * reckoned && taken < 1.1 * reckoned, what);
  }
});

/** The bytes of all arrays of bytes that are made meanwhile. */
function bytesMade(work: () => void): number {
  const Plain = Uint8Array;
  let bytes = 0;
  globalThis.Uint8Array = class extends Plain {
    constructor(length: number) {
      super(length);
      bytes += length;
    }
  } as typeof Uint8Array;
  try {
    work();
  } finally {
    globalThis.Uint8Array = Plain;
  }
  return bytes;
}

test("Processes that fit into the memory of a machine one by one, but not together, are refused", () => {
  refuseTooLarge(shapeOf(4, 4, 1));
  const share = failsWith(
    "INVALID_SETTING",
    /^Training needs about \d+ MB of memory in each of the 100000 processes on this machine .*; there are .* for each\.$/m,
    "or give it ",
  );
  assert.throws(() => refuseTooLarge(shapeOf(100_000, 100_000)), share);
});
