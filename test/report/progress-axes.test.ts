import assert from "node:assert/strict";
import { test } from "node:test";
import { progressAxes } from "#src/report/progress-axes.js";
import { MetricsCollector } from "#src/runs/metrics-collector.js";
import { runFolder } from "#src/runs/run-folder.js";

/** A run whose epochs take 10 steps each. */
function axesOf(steps: number) {
  const collector = new MetricsCollector();
  for (let step = 1; step <= steps; step++) {
    const epoch = Math.ceil(step / 10);
    collector.add({ event: "step", step, epoch, loss: 2, learningRate: 0.1, seconds: 3 * step });
  }
  const metrics = collector.metrics(runFolder("runs", "run"), []);
  return progressAxes({ metrics, facts: undefined, totalSteps: undefined });
}

test("Epochs are fractions from where one ends and the next begins", () => {
  const { epoch, seconds, characters } = axesOf(25);
  const at = new Map(epoch.map(([step, value]) => [step, value]));
  assert.deepEqual(
    [1, 5, 10, 15, 20, 25].map((step) => at.get(step)),
    [0.1, 0.5, 1, 1.5, 2, 2.5],
  );
  assert.deepEqual(seconds.at(-1), [25, 75]);
  // Only a checkpoint says how many characters a step has.
  assert.deepEqual(characters, []);
});

test("Epochs are not told before the first is over where nothing says how long it is", () => {
  assert.deepEqual(axesOf(9).epoch, []);
});

test("A long run has few points for its epochs and seconds", () => {
  const { epoch, seconds } = axesOf(3_000);
  assert.ok(epoch.length <= 200 && epoch.length > 100 && seconds.length === epoch.length);
});
