import assert from "node:assert/strict";
import { test } from "node:test";
import { openBackend } from "#src/backends/select.js";
import { WorkerGradients } from "#src/optimization/worker-gradients.js";
import { alone } from "#src/ranks/alone.js";
import type { Ranks } from "#src/ranks/ranks.js";
import { shareOf } from "#src/ranks/share.js";
import { inLockstep } from "../helpers/lockstep-ranks.js";
import { Draw } from "../helpers/numbers.js";

const backend = await openBackend("wasm", 1);

/** The gradients of a worker: the same in whatever process it is. */
function gradientsOf(worker: number, parameters: number) {
  const draw = new Draw(worker + 1);
  const gradients = backend.parameterArray(new Map([["all", [parameters]]]));
  gradients.write(Float32Array.from({ length: parameters }, () => draw.uniform() - 0.5));
  return gradients;
}

/** What a process has when all have joined what their workers put; the second worker puts nothing. */
function joined(ranks: Ranks, workers: number, parameters: number): Float32Array {
  const all = new WorkerGradients(backend, ranks, workers, parameters);
  const { begin, end } = shareOf(workers, ranks.rank, ranks.size);
  for (let worker = begin; worker < end; worker++) {
    const gradients = gradientsOf(worker, parameters);
    if (worker === 1) all.putNothing(worker);
    else all.put(worker, gradients, 1 / (workers + worker));
    gradients.dispose();
  }
  const sum = gradientsOf(0, parameters);
  try {
    all.join(sum);
    return sum.read().slice();
  } finally {
    sum.dispose();
  }
}

test("The sum of all workers' gradients is near the exact one", () => {
  const [workers, parameters] = [6, 700];
  const sum = joined(alone(), workers, parameters);
  const exact = new Float64Array(parameters);
  for (const worker of [0, 2, 3, 4, 5]) {
    const gradients = gradientsOf(worker, parameters);
    for (const [i, value] of gradients.read().entries()) exact[i] += value / (workers + worker);
    gradients.dispose();
  }
  const error = Math.sqrt(sum.reduce((all, value, i) => all + (value - exact[i]) ** 2, 0));
  const norm = Math.sqrt(exact.reduce((all, value) => all + value ** 2, 0));
  assert.ok(error > 0 && error < 0.01 * norm, `${error} of ${norm}`);
});

test("The sum has the same bits in all processes, and for every number of them", () => {
  for (const parameters of [1, 255, 257, 1_500]) {
    for (const workers of [2, 5, 8]) {
      const expected = joined(alone(), workers, parameters);
      for (let size = 2; size <= Math.min(workers, 5); size++) {
        const machines = Array.from({ length: size }, () => "a");
        const results = inLockstep(machines, (ranks) => joined(ranks, workers, parameters));
        assert.deepEqual(
          results,
          machines.map(() => ({ status: "fulfilled", value: expected })),
          `${size} processes, ${workers} workers, ${parameters} parameters`,
        );
      }
    }
  }
});
