/** Several backends in one process do not meet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import { openBackend } from "#src/backends/select.js";
import { BACKEND_NAMES, type BackendName } from "#src/config/names.js";
import { smallTraining } from "../helpers/small-training.js";

const STEPS = 6;

/** Trains for some steps with a text written between them, one part of the work at a time. */
function* work(backend: Backend): Generator<undefined, { weights: number[]; logits: number[][] }> {
  const { model, step } = smallTraining(backend);
  const logits: number[][] = [];
  for (let i = 0; i < STEPS; i++) {
    step(3 + i, 9 - i);
    yield;
    const session = model.openDecodeSession(2);
    for (const tokens of [Int32Array.of(1, 2), Int32Array.of(i, 7)]) {
      logits.push([...session.step(tokens)]);
      yield;
    }
    session.dispose();
  }
  const weights = [...model.parameters.read()];
  model.dispose();
  return { weights, logits };
}

function alone(backend: Backend) {
  const parts = work(backend);
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/** A part of the one's work, then a part of the other's. */
function interleaved(backends: readonly Backend[]) {
  const all = backends.map(work);
  for (;;) {
    const steps = all.map((parts) => parts.next());
    if (steps.every(({ done }) => done)) return steps.map(({ value }) => value);
  }
}

async function opened(
  wanted: readonly [name: BackendName, threads: number][],
): Promise<Backend[] | undefined> {
  const backends = wanted.map(([name, threads]) => openBackend(name, threads));
  const results = await Promise.allSettled(backends);
  if (results.some(({ status }) => status === "rejected")) return undefined;
  return Promise.all(backends);
}

const pairs = BACKEND_NAMES.flatMap((a, i) =>
  BACKEND_NAMES.slice(i + 1).map((b) => [a, b] as const),
);

for (const pair of pairs) {
  test(`${pair.join(" and ")} train and sample side by side as each does alone`, async (t) => {
    const backends = await opened(pair.map((name) => [name, 1]));
    if (!backends) return t.skip("One of them does not load here.");
    assert.deepEqual(interleaved(backends), backends.map(alone));
  });
}

test("native backends of 1, 2 and 3 threads work side by side, each with its own", async (t) => {
  const backends = await opened([1, 2, 3].map((threads) => ["native", threads]));
  if (!backends) return t.skip("It does not load here.");
  const { loadAddon } = await import("#src/backends/native/addon.js");
  const used = backends.map((backend) => {
    smallTraining(backend).step(2, 4);
    return loadAddon().describe().threads;
  });
  assert.deepEqual(used, [1, 2, 3]);
  const [expected, ...others] = interleaved(backends);
  for (const results of others) assert.deepEqual(results, expected);
  assert.deepEqual(expected, alone(backends[0]));
});

test("a backend refuses the workspace of another one", async (t) => {
  const backends = await opened(BACKEND_NAMES.map((name) => [name, 1]));
  if (!backends) return t.skip("One of them does not load here.");
  const decoder = {
    ...{ time: 1, batch: 1, hiddenSize: 1, input: Float32Array.of(1), targets: Int32Array.of(0) },
    ...{ weight: Float32Array.of(1, 2), bias: Float32Array.of(0, 0) },
  };
  const gradients = { gradientWeight: new Float32Array(2), gradientBias: new Float32Array(2) };
  for (const [i, backend] of backends.entries()) {
    const other = backends[(i + 1) % backends.length].createWorkspace();
    assert.throws(() => backend.linearCrossEntropy(decoder, gradients, other), /another backend/);
  }
});
