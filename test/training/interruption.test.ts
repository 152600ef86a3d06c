/** An interrupted run is saved as it was after its last whole step, or leaves nothing at all. */
import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { loadCheckpoint } from "#src/index.js";
import { breakGradients } from "../helpers/broken-kernel.js";
import { filesIn } from "../helpers/executable.js";
import {
  afterStep,
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  workplace,
} from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

const CHANGED = new Error("changed my mind");

test("An interruption before the first step leaves no files behind, and throws the reason of its signal", async (t) => {
  const place = await workplace(t);
  const signal = AbortSignal.abort(CHANGED);
  const isReason = (error: unknown) => error === CHANGED;
  for (const name of ["run", undefined]) {
    await assert.rejects(trained(smallRun(place, { name }), undefined, { signal }), isReason);
    await assert.rejects(readdir(place.out), { code: "ENOENT" });
  }
  // A folder that was there stays.
  await mkdir(path.join(place.out, "run"), { recursive: true });
  await assert.rejects(trained(smallRun(place), undefined, { signal }), isReason);
  assert.deepEqual(await readdir(path.join(place.out, "run")), []);
});

test("An interruption before the first step during the trial leaves no files behind, and a run to be overwritten or resumed as it was", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 3 }));
  const before = await filesIn(place.out);
  const tensors = undisposed();
  for (const how of [{ name: "other" }, { overwrite: true }, { resume: true, steps: 9 }]) {
    const controller = new AbortController();
    breakGradients(t, (call) => {
      if (call === 2) controller.abort(CHANGED);
      return false;
    });
    const settings = smallRun(place, { steps: 3, accumulate: 1, ...how });
    const interrupted = trained(settings, undefined, { signal: controller.signal });
    await assert.rejects(interrupted, (error) => error === CHANGED);
    assert.deepEqual(await filesIn(place.out), before);
    assert.equal(undisposed(), tensors);
  }
});

test("An interruption before the first step between the start and the first step leaves no files behind either", async (t) => {
  const place = await workplace(t);
  const isStart = ({ event }: { event: string }) => event === "start";
  await assert.rejects(trained(smallRun(place, { tensorboard: true }), isStart), {
    name: "AbortError",
  });
  await assert.rejects(readdir(place.out), { code: "ENOENT" });
});

for (const settings of [
  { cell: "lstm", layers: 2, recurrentDropout: 0.2 },
  { documents: "lines" },
  { averageDecay: 0, optimizer: "sgd" },
] as const) {
  test(`An interruption within a step saves the run as it was before: ${JSON.stringify(settings)}`, async (t) => {
    const place = await workplace(t, inventedText(2_000));
    const run = (name: string) =>
      smallRun(place, { ...settings, accumulate: 7, steps: 9, evalEvery: 4, name });
    await trained(run("unbroken"));
    // Some batches of the step are the last of an epoch, or the first.
    for (const [step, batch] of [
      [1, 3],
      [3, 1],
      [4, 6],
      [7, 5],
    ]) {
      const controller = new AbortController();
      let batches = Number.NEGATIVE_INFINITY;
      breakGradients(t, () => {
        if (++batches === batch) controller.abort();
        return false;
      });
      const events = await trained(
        { ...run("broken"), resume: true },
        (event) => {
          if (afterStep(step)(event)) batches = 0;
          return false;
        },
        { signal: controller.signal },
      );
      const end = endOf(events);
      assert.deepEqual([end.reason, end.step], ["interrupted", step]);
      assert.equal(only(events, "step").at(-1)?.step, step);
      const { progress } = await loadCheckpoint(path.join(place.out, "run", "..", "broken"));
      assert.ok(progress.step <= step);
    }
    assert.equal(endOf(await trained({ ...run("broken"), resume: true })).reason, "steps");
    for (const file of ["last.safetensors", "best.safetensors"]) {
      const [broken, unbroken] = [
        await fileOf(place, "broken", file),
        await fileOf(place, "unbroken", file),
      ];
      assert.ok(broken.equals(unbroken), file);
    }
  });
}

test("An interruption within a step leaves no tensors behind", async (t) => {
  const place = await workplace(t);
  const before = undisposed();
  const controller = new AbortController();
  let batches = Number.NEGATIVE_INFINITY;
  breakGradients(t, () => {
    if (++batches === 3) controller.abort();
    return false;
  });
  const stopAt = afterStep(2);
  await trained(
    smallRun(place, { accumulate: 5, steps: 9 }),
    (event) => {
      if (stopAt(event)) batches = 0;
      return false;
    },
    { signal: controller.signal },
  );
  assert.equal(undisposed(), before);
});

test("An interruption of the test part's scoring ends the run as interrupted, and the resumed run scores it", async (t) => {
  const place = await workplace(t, inventedText(5_000));
  const settings = smallRun(place, { test: 0.3, steps: 3, evalEvery: 3 });
  const controller = new AbortController();
  // The last checkpoint of the last step is followed by the scoring of the test part.
  const isSaved = (event: { event: string; kind?: string; step?: number }) =>
    event.event === "checkpoint" && event.kind === "last" && event.step === 3;
  const events = await trained(
    settings,
    (event) => {
      if (isSaved(event)) setImmediate(() => controller.abort());
      return false;
    },
    { signal: controller.signal },
  );
  assert.deepEqual([endOf(events).reason, endOf(events).testLoss], ["interrupted", undefined]);
  const resumed = endOf(await trained({ ...settings, resume: true }));
  assert.equal(resumed.reason, "done");
  const whole = endOf(await trained({ ...settings, name: "whole" }));
  assert.ok(whole.testLoss !== undefined && whole.testLoss === resumed.testLoss);
});
