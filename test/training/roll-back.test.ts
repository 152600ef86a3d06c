/** Numbers that are not finite: they never reach the weights, and a run that makes many goes back. */
import assert from "node:assert/strict";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import type { TrainSettings } from "#src/index.js";
import { trainedWithBadSteps } from "../helpers/broken-kernel.js";
import { failsWith } from "../helpers/failure.js";
import {
  afterStep,
  endOf,
  fileOf,
  only,
  smallRun,
  trained,
  workplace,
} from "../helpers/training.js";

test("A gradient that is not finite changes nothing and is counted, and training continues", async (t) => {
  const { settings } = await small(t, { steps: 12, schedule: "constant" });
  const events = await trainedWithBadSteps(t, (step) => step === 6, settings);
  const steps = only(events, "step");
  assert.deepEqual(
    steps.filter(({ dropped }) => dropped).map(({ step }) => step),
    [6],
  );
  assert.ok(Number.isFinite(steps[5].loss) && Number.isNaN(steps[5].gradientNorm));
  assert.ok(steps.slice(6).every(({ loss }) => Number.isFinite(loss)));
  const end = endOf(events);
  assert.deepEqual([end.reason, end.step, end.droppedSteps], ["steps", 12, 1]);
});

test("A gradient that is not finite leaves the weights as they were before the step", async (t) => {
  const { settings, place } = await small(t, { averageDecay: 0, schedule: "constant" });
  const run = { ...settings, saveEvery: 1, keep: 9, evalEvery: 1 };
  await trainedWithBadSteps(t, (step) => step === 6, { ...run, steps: 6 });
  await trained({ ...run, steps: 7, resume: true });
  const weightsAfter = async (step: number) => {
    const file = path.join(place.out, "run", `step-${step}.safetensors`);
    return (await readCheckpoint(file)).tensors.get("decoder.weight")?.data;
  };
  assert.deepEqual(await weightsAfter(6), await weightsAfter(5));
  assert.notDeepEqual(await weightsAfter(7), await weightsAfter(6));
});

test("A gradient that is not finite five times in a row takes the run back to its last checkpoint, with a lower rate", async (t) => {
  const { settings, place } = await small(t, { steps: 20, saveEvery: 4, schedule: "constant" });
  const events = await trainedWithBadSteps(t, (step) => step > 6 && step <= 11, settings);
  const [warning] = only(events, "warning");
  assert.match(warning.message, /at step 11 .*back to step 4.*third of the learning rate/i);
  const steps = only(events, "step");
  const again = steps.slice(11);
  assert.equal(again[0].step, 5);
  assert.ok(Math.abs(again[0].learningRate - steps[0].learningRate / 3) < 1e-12);
  const end = endOf(events);
  assert.deepEqual([end.reason, end.step, end.droppedSteps], ["steps", 20, 5]);
  // Of each step one line, that of the way that was kept.
  const metrics = (await fileOf(place, "run", "metrics.jsonl")).toString().trim().split("\n");
  const lines = metrics.map((line) => JSON.parse(line)).filter(({ event }) => event === "step");
  assert.deepEqual(
    lines.map(({ step }) => step),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});

test("A gradient that is not finite before the first checkpoint takes the run back to its beginning", async (t) => {
  const { settings } = await small(t, { steps: 9 });
  const events = await trainedWithBadSteps(t, (step) => step > 1 && step <= 6, settings);
  assert.match(only(events, "warning")[0].message, /back to step 0/);
  assert.equal(endOf(events).step, 9);
});

test("A gradient that is not finite again and again ends the run with an error, and leaves the last good checkpoint", async (t) => {
  const { settings, place } = await small(t, { steps: 20, saveEvery: 3 });
  const folder = path.join(place.out, "run");
  await assert.rejects(
    trainedWithBadSteps(t, (step) => step > 4, settings),
    failsWith("DIVERGED", /at step 8 .*3 times/i, folder, "`learningRate: "),
  );
  const { progress } = await readCheckpoint(path.join(folder, "last.safetensors"));
  assert.equal(progress.step, 3);
});

test("A gradient that is not finite is dropped in a resumed run as in an unbroken one", async (t) => {
  const { settings, place } = await small(t, { steps: 12 });
  await trainedWithBadSteps(t, (step) => step === 6, { ...settings, name: "unbroken" });
  await trained({ ...settings, name: "resumed" }, afterStep(4));
  const rest = { ...settings, name: "resumed", resume: true };
  await trainedWithBadSteps(t, (step) => step === 2, rest);
  const [unbroken, resumed] = await Promise.all(
    ["unbroken", "resumed"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(resumed.equals(unbroken));
});

test("Weights that are not finite are never saved", async (t) => {
  const { settings } = await small(t, { steps: 9, learningRate: 1e39, overwrite: true });
  for (const pace of [{ saveEvery: 1 }, { evalEvery: 1 }, { steps: 1 }]) {
    await assert.rejects(trained({ ...settings, ...pace }), failsWith("DIVERGED", /at step 1 /i));
  }
});

async function small(t: TestContext, settings: Partial<TrainSettings>) {
  const place = await workplace(t);
  return { place, settings: smallRun(place, settings) };
}
