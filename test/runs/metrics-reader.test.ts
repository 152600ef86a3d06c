import assert from "node:assert/strict";
import { appendFile, mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import type { CharnnError } from "#src/index.js";
import { binned } from "#src/report/binned.js";
import { MetricsReader, readMetrics } from "#src/runs/metrics-reader.js";
import type { Point } from "#src/runs/thinned.js";
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

test("The metrics of a run are the events of its training", async (t) => {
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

test("The metrics of a run are found by the run's name, its folder or a file in it; without any, those of the newest run", async (t) => {
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

for (const [kind, damage] of [
  ["empty", ""],
  ["damaged from its first line on", "no JSON\n"],
] as const) {
  test(`The metrics of a run are restored where their file is ${kind} when the hint is followed, and the run stays`, async (t) => {
    const place = await workplace(t);
    await trained(smallRun(place, { steps: 4 }));
    const file = path.join(place.out, "run", "metrics.jsonl");
    await writeFile(file, damage);
    let hint = "";
    await assert.rejects(readMetrics("run", place.out), (error: CharnnError) => {
      hint = error.hint ?? "";
      return error.message.includes(kind);
    });
    assert.match(hint, /`resume`/);
    assert.doesNotMatch(hint, /`overwrite`/);
    if (hint.includes("Move that file away")) await rm(file);
    await trained(smallRun(place, { steps: 6, resume: true }));
    const { steps } = await readMetrics("run", place.out);
    assert.deepEqual(
      steps.map(({ step }) => step),
      [5, 6],
    );
  });
}

test("The metrics of a run are damaged where a number is infinite", async (t) => {
  for (const name of ["step", "epoch", "loss", "learningRate", "seconds"]) {
    const line = STEP.replace(new RegExp(`(?<="${name}":)[\\d.]+`), "1e999");
    assert.notEqual(line, STEP);
    const { out } = await reported(t, `${STEP}${line}`);
    const { steps, warnings } = await readMetrics("run", out);
    assert.deepEqual([steps.length, warnings.length], [1, 1], name);
  }
});

test("The metrics of a run are used up to the first damage, with a warning", async (t) => {
  const { out } = await reported(t, `${STEP}${STEP}{"event":"step","st\0\n${STEP}`);
  const { steps, warnings } = await readMetrics("run", out);
  assert.equal(steps.length, 2);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /metrics\.jsonl is damaged at line 3 of 4: /);
});

test("The metrics of a run may end in a line that is still being written", async (t) => {
  const { out, file } = await reported(t, `${STEP}{"event":"st`);
  const { steps, warnings } = await readMetrics("run", out);
  assert.deepEqual([steps.length, warnings], [1, []]);
  await writeFile(file, STEP.trimEnd());
  assert.equal((await readMetrics("run", out)).steps.length, 1);
  assert.equal(await readFile(file, "utf8"), STEP.trimEnd());
});

test("The metrics of a run may have losses that are not finite", async (t) => {
  const { out } = await reported(t, STEP.replace("2.5", "null"));
  assert.equal((await readMetrics("run", out)).steps[0].loss, null);
});

test("The metrics of a run are an error that says what to do where there are none", async (t) => {
  const { out, file, folder } = await reported(t, "");
  await assert.rejects(readMetrics("run", out), failsWith("NOT_FOUND", "is empty"));
  await writeFile(file, "{}\n");
  await assert.rejects(readMetrics("run", out), failsWith("NOT_FOUND", "from its first line"));
  await assert.rejects(
    readMetrics("ran", out),
    failsWith("NOT_FOUND", '"ran"', "Did you mean run?"),
  );
  await rm(file);
  await assert.rejects(readMetrics("run", out), failsWith("NOT_FOUND", "no metrics.jsonl"));
  await rm(folder, { recursive: true });
  await assert.rejects(readMetrics(undefined, out), failsWith("NOT_FOUND", "Train one first"));
});

test("The metrics of a run are read from where the last reading ended, and from the beginning where the file is another one", async (t) => {
  const { out, file } = await reported(t, `${STEP}${STEP.trimEnd()}`);
  const reader = new MetricsReader((await readMetrics("run", out)).run);
  const seen = async () => {
    await reader.read();
    return reader.metrics.steps.map(({ step }) => step);
  };
  const step = (number: number) => STEP.replace('"step":1', `"step":${number}`);
  assert.deepEqual(await seen(), [1, 1]);
  // The line end of what was there, and a line that is being written.
  await appendFile(file, `\n${step(2)}${step(3).slice(0, 20)}`);
  assert.deepEqual(await seen(), [1, 1, 2]);
  await appendFile(file, step(3).slice(20));
  assert.deepEqual(await seen(), [1, 1, 2, 3]);
  assert.deepEqual(await seen(), [1, 1, 2, 3]);
  assert.deepEqual(reader.metrics.warnings, []);
  await writeFile(file, step(7));
  assert.deepEqual(await seen(), [7]);
  // As long as what was read, or longer, and yet not the same.
  await writeFile(file, `${step(8)}${step(9)}`);
  assert.deepEqual(await seen(), [8, 9]);
  await writeFile(file, "");
  assert.deepEqual(await seen(), []);
});

test("The metrics of a run give nearly the same curves and the same figures when there are too many to be kept", async (t) => {
  const steps = 40_000;
  const lossAt = (step: number) => (step === 12_345 ? 0.125 : 2 + 1 / step);
  const lines = Array.from({ length: steps }, (_, k) => {
    const report = { event: "step", step: k + 1, epoch: 1, loss: lossAt(k + 1) };
    return `${JSON.stringify({ ...report, learningRate: 0.01, seconds: k })}\n`;
  });
  const tooLong = `{"event":"sample","step":1,"text":"${"x".repeat(2 ** 21)}"}\n`;
  const { out } = await reported(t, `${lines.join("")}${tooLong}`);
  const metrics = await readMetrics("run", out);
  assert.match(metrics.warnings[0], /damaged at line 40,001 of 40,001/);
  assert.equal(metrics.steps.at(-1)?.step, steps);
  assert.ok(metrics.steps.length < 5_000);
  const points = metrics.curves["training-loss"];
  assert.ok(points.length <= 20_000);
  const least = points
    .map(([x, y, of]) => of ?? { least: y, leastAt: x })
    .find((of) => of.least < 1);
  assert.deepEqual([least?.least, least?.leastAt], [0.125, 12_345]);
  const whole = Array.from({ length: steps }, (_, k): Point => [k + 1, lossAt(k + 1)]);
  const [shown, exact] = [binned(points, 100), binned(whole, 100)];
  assert.equal(shown.length, exact.length);
  // A few of the points next to the edge of a bin are merged with those beyond it.
  for (const [k, { y }] of exact.entries()) assert.ok(Math.abs(shown[k].y - y) < 0.01);
});
