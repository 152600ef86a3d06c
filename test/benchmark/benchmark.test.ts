import assert from "node:assert/strict";
import { test } from "node:test";
import { median } from "#src/arrays.js";
import type { BenchmarkProgress } from "#src/benchmark/benchmark.js";
import { createLearner, timeTraining } from "#src/benchmark/training-speed.js";
import { CELL_NAMES, CELLS } from "#src/config/cells.js";
import { modelConfig } from "#src/config/model.js";
import { parameterShapes, sizeOf } from "#src/config/parameters.js";
import { benchmark } from "#src/index.js";
import { peakMemory } from "#src/memory.js";
import { NO_DROPOUT } from "#src/model/dropout.js";
import { operationsPerCharacter } from "#src/model/flops.js";
import { failsWith } from "../helpers/failure.js";
import { slow } from "../helpers/slow.js";
import { undisposed } from "../helpers/undisposed.js";
import { wasmBackend } from "../helpers/wasm.js";

const MODEL = modelConfig({
  cell: "gru",
  layers: 1,
  hiddenSize: 6,
  embeddingSize: 0,
  vocabularySize: 9,
});
const SHAPE = { batchSize: 3, seqLength: 5, ...NO_DROPOUT };

test("A median is the middle number, or the mean of the middle two", () => {
  assert.equal(median([9]), 9);
  assert.equal(median([10, 2, 9]), 9);
  assert.equal(median([10, 1, 2, 100]), 6);
});

for (const cell of CELL_NAMES) {
  test(`The work of learning a character is 6 operations for each weight of a product: ${cell}`, () => {
    const model = modelConfig({ ...MODEL, cell, layers: 3, embeddingSize: 4 });
    let weights = 0;
    for (const [name, shape] of parameterShapes(model)) {
      const isLookUp = name === "encoder.weight" || name === "rnn.weight_ih_l0";
      if (shape.length === 2 && !isLookUp) weights += sizeOf(shape);
    }
    assert.equal(operationsPerCharacter(model), 6 * weights);
    assert.equal(weights, CELLS[cell].gates.length * 6 * 6 * 5 + 9 * 6);
  });
}

test("A learner on a random text has full batches only, of every character", async () => {
  const learner = await createLearner(wasmBackend(), MODEL, SHAPE);
  const seen = new Set<number>();
  for (let epoch = 0; epoch < 3; epoch++) {
    const count = learner.batches.batchesInEpoch(epoch);
    assert.ok(count > 1);
    for (let index = 0; index < count; index++) {
      const { time, batch, targets } = learner.batches.at(epoch, index);
      assert.deepEqual([time, batch], [SHAPE.seqLength, SHAPE.batchSize]);
      for (const target of targets) seen.add(target);
    }
  }
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  learner.dispose();
});

test("A learner on a random text is timed over the given number of steps, without those that warm it up", async () => {
  const learner = await createLearner(wasmBackend(), MODEL, SHAPE);
  const step = async () => learner.run("step");
  const before = learner.model.parameters.read().slice();
  const shares: number[] = [];
  const timing = await timeTraining(
    step,
    { steps: 4, seconds: 60 },
    { steps: 7, seconds: 60 },
    (fraction) => shares.push(fraction),
  );
  assert.equal(timing.steps, 7);
  assert.equal(shares.length, 11);
  assert.ok(timing.secondsPerStep > 0 && timing.secondsPerStep < 60);
  assert.ok(learner.model.parameters.read().every(Number.isFinite));
  assert.notDeepEqual(learner.model.parameters.read(), before);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  assert.equal(shares.at(-1), 1);

  const short = await timeTraining(
    step,
    { steps: 1, seconds: 60 },
    { steps: Number.POSITIVE_INFINITY, seconds: 1e-9 },
  );
  assert.equal(short.steps, 1);
  learner.dispose();
});

slow("A benchmark reports its progress, and leaves no tensor behind", async () => {
  const before = undisposed();
  const progress: BenchmarkProgress[] = [];
  const warnings: string[] = [];
  const result = await benchmark(
    { hiddenSize: 6, batchSize: 2, seqLength: 4, steps: 3, backend: "wasm", threads: 2 },
    {
      onProgress: (event) => progress.push(event),
      onWarning: (message) => warnings.push(message),
    },
  );
  assert.equal(undisposed(), before);
  assert.equal(result.steps, 3);
  assert.equal(result.threads, 2);
  assert.deepEqual(warnings, []);
  for (const stage of ["training", "sampling"]) {
    const own = progress.filter((event) => event.stage === stage).map(({ fraction }) => fraction);
    assert.ok(own.length > 1);
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
    );
    assert.ok(Math.abs((own.at(-1) ?? 0) - 1) < 1e-9);
  }
});

test("A benchmark refuses a model beyond the memory of the wasm backend before it is made", async () => {
  await assert.rejects(
    benchmark({ hiddenSize: 8192, backend: "wasm" }, { signal: AbortSignal.timeout(20_000) }),
    failsWith("INVALID_SETTING", "Training needs about", "What fits: `hiddenSize: "),
  );
});

test("A benchmark refuses each wrong setting by its name", async () => {
  await assert.rejects(benchmark({ steps: 0 }), failsWith("INVALID_SETTING", "steps"));
  await assert.rejects(benchmark({ layers: 0 }), failsWith("INVALID_SETTING", "layers"));
  await assert.rejects(benchmark({ threads: 2000 }), failsWith("INVALID_SETTING", "threads"));
  const preset = { preset: "large" } as object;
  await assert.rejects(benchmark(preset), failsWith("INVALID_SETTING", "preset"));
});

test("The peak of memory is no less than the memory in use now, and never falls", () => {
  const held = Buffer.alloc(50e6, 1);
  const now = process.memoryUsage.rss();
  assert.ok(now > held.length);
  // Pages may come and go while it is read.
  assert.ok(peakMemory() >= now - 5e6, `${peakMemory()} of ${now}`);
});
