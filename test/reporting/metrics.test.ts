import assert from "node:assert/strict";
import { mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { readMetrics } from "#src/reporting/metrics.js";
import { failsWith } from "../helpers/failure.js";
import { only, smallRun, trained, workplace } from "../helpers/training.js";

/** A folder of runs, in which one has reported this. */
async function reported(t: TestContext, text: string, name = "run") {
  const place = await workplace(t);
  const folder = path.join(place.out, name);
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, "metrics.jsonl");
  await writeFile(file, text);
  return { ...place, folder, file };
}

const STEP = '{"event":"step","step":1,"epoch":1,"loss":2.5,"learningRate":0.01,"seconds":0.1}\n';

describe("What a run has reported", () => {
  it("is what it told while it was trained", async (t) => {
    const place = await workplace(t);
    const events = await trained(smallRun(place, { steps: 4, evalEvery: 2 }));
    const metrics = await readMetrics(undefined, place.out);
    assert.deepEqual(
      metrics.steps.map(({ step, loss }) => [step, loss]),
      only(events, "step").map(({ step, loss }) => [step, loss]),
    );
    assert.deepEqual(
      metrics.evaluations.map(({ step, validationLoss }) => [step, validationLoss]),
      only(events, "eval").map(({ step, validationLoss }) => [step, validationLoss]),
    );
    assert.deepEqual(
      metrics.samples.map(({ step, text }) => [step, text]),
      only(events, "sample").map(({ step, text }) => [step, text]),
    );
    assert.deepEqual(metrics.warnings, []);
    assert.equal(metrics.run.name, "run");
  });

  it("is found by the run's name, its folder and a file in it, or is that of the last to report", async (t) => {
    const { out, folder, file } = await reported(t, STEP);
    const other = path.join(out, "other");
    await mkdir(other);
    await writeFile(path.join(other, "metrics.jsonl"), STEP);
    await utimes(file, new Date(0), new Date(0));
    for (const run of ["run", folder, path.join(folder, "last.safetensors")]) {
      assert.equal((await readMetrics(run, out)).run.name, "run");
    }
    assert.equal((await readMetrics(undefined, out)).run.name, "other");
  });

  it("is used up to the first damage, with a warning", async (t) => {
    const { out } = await reported(t, `${STEP}${STEP}{"event":"step","st\0\n${STEP}`);
    const { steps, warnings } = await readMetrics("run", out);
    assert.equal(steps.length, 2);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /metrics\.jsonl is damaged at line 3 of 4: /);
  });

  it("may end in a line that is being written", async (t) => {
    const { out, file } = await reported(t, `${STEP}{"event":"st`);
    const { steps, warnings } = await readMetrics("run", out);
    assert.deepEqual([steps.length, warnings], [1, []]);
    await writeFile(file, STEP.trimEnd());
    assert.equal((await readMetrics("run", out)).steps.length, 1);
    assert.equal(await readFile(file, "utf8"), STEP.trimEnd());
  });

  it("may have losses that are not finite", async (t) => {
    const { out } = await reported(t, STEP.replace("2.5", "null"));
    assert.equal((await readMetrics("run", out)).steps[0].loss, null);
  });

  it("is an error that says what to do where there is nothing", async (t) => {
    const { out, file, folder } = await reported(t, "");
    await assert.rejects(readMetrics("run", out), failsWith("NOT_FOUND", "is empty"));
    await writeFile(file, "{}\n");
    await assert.rejects(readMetrics("run", out), failsWith("NOT_FOUND", "from its first line"));
    await assert.rejects(readMetrics("ran", out), failsWith("NOT_FOUND", '"ran"', "are: run"));
    await rm(file);
    await assert.rejects(readMetrics("run", out), failsWith("NOT_FOUND", "no metrics.jsonl"));
    await rm(folder, { recursive: true });
    await assert.rejects(readMetrics(undefined, out), failsWith("NOT_FOUND", "Train one first"));
  });
});
