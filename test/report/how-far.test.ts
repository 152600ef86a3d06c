import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReportedRun } from "#src/report/reported-run.js";
import { howFar } from "#src/report/watch/how-far.js";
import { MetricsCollector } from "#src/runs/metrics-collector.js";
import { runFolder } from "#src/runs/run-folder.js";

/** A run of a step every two seconds, after ten seconds of getting ready. */
function runOf(steps: number, totalSteps: number | undefined): ReportedRun {
  const collector = new MetricsCollector();
  for (let step = 1; step <= steps; step++) {
    const report = { step, epoch: 1, loss: 2, learningRate: 0.1, seconds: 10 + 2 * step };
    collector.add({ event: "step", ...report });
  }
  return { metrics: collector.metrics(runFolder("runs", "run"), []), facts: undefined, totalSteps };
}

const REPORTED_AT = new Date(2026, 10, 29, 14, 3, 22);

test("A run that goes on says how far it has come, how long it takes and when it reported", () => {
  assert.equal(
    howFar(runOf(40, 100), REPORTED_AT, true),
    "Step 40 of 100, about 2 min left. Last report at 14:03:22.",
  );
});

test("A run that is over, or whose end nobody knows, says how long it has taken", () => {
  const last = "Last report at 14:03:22.";
  assert.equal(
    howFar(runOf(40, 100), REPORTED_AT, false),
    `Step 40 of 100, in 1 min 30 s. ${last}`,
  );
  assert.equal(howFar(runOf(40, undefined), REPORTED_AT, true), `Step 40, in 1 min 30 s. ${last}`);
  assert.equal(howFar(runOf(1, 100), undefined, true), "Step 1 of 100, in 12 s.");
});
