import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { listRuns } from "#src/runs/all-runs.js";
import { findCheckpoint } from "#src/runs/find-runs.js";
import { clearRun, keepNewestSteps } from "#src/runs/run-contents.js";
import { freeName, type RunFolder, runFolder } from "#src/runs/run-folder.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";

/** Makes a run with these empty files, last changed so many seconds after 1970. */
async function makeRun(
  out: string,
  name: string,
  files: Readonly<Record<string, number>>,
): Promise<RunFolder> {
  const folder = runFolder(out, name);
  await mkdir(folder.path, { recursive: true });
  for (const [file, seconds] of Object.entries(files)) {
    await writeFile(path.join(folder.path, file), "");
    await utimes(path.join(folder.path, file), seconds, seconds);
  }
  return folder;
}

test("a run's files have the names that the documentation gives", () => {
  const run = runFolder("checkpoints", "mine");
  assert.equal(run.path, path.join("checkpoints", "mine"));
  assert.equal(run.last, path.join("checkpoints", "mine", "last.safetensors"));
  assert.equal(run.best, path.join("checkpoints", "mine", "best.safetensors"));
  assert.equal(run.metrics, path.join("checkpoints", "mine", "metrics.jsonl"));
  assert.equal(run.stepFile(1500), path.join("checkpoints", "mine", "step-1500.safetensors"));
});

for (const name of ["", ".", "..", "a/b", "../a", "a\\b", "a\0b", "a\nb"]) {
  test(`a run can't be named ${JSON.stringify(name)}`, () => {
    assert.throws(() => runFolder("out", name), failsWith("INVALID_SETTING", JSON.stringify(name)));
  });
}

for (const name of ["a", "...", ".hidden", "a b", "日本", "-2", "__proto__"]) {
  test(`a run can be named ${JSON.stringify(name)}`, () => {
    assert.equal(runFolder("out", name).name, name);
  });
}

test("runs are listed by when they saved or reported last, and folders without a checkpoint left out", async (t) => {
  const out = await temporaryFolder(t);
  await makeRun(out, "old", { "last.safetensors": 100, "metrics.jsonl": 250 });
  await makeRun(out, "new", { "best.safetensors": 50, "last.safetensors": 300 });
  await makeRun(out, "middle", { "step-5.safetensors": 200 });
  await makeRun(out, "b-tie", { "last.safetensors": 100 });
  await makeRun(out, "empty", {});
  await makeRun(out, "other", { "metrics.jsonl": 400, "model.safetensors": 400 });
  await writeFile(path.join(out, "README.md"), "");
  const runs = await listRuns(out);
  assert.deepEqual(
    runs.map(({ name }) => name),
    ["new", "old", "middle", "b-tie"],
  );
  assert.equal(runs[0].last, path.join(out, "new", "last.safetensors"));
});

test("where there is no folder of runs there are no runs", async (t) => {
  assert.deepEqual(await listRuns(path.join(await temporaryFolder(t), "none")), []);
});

test("a folder of runs that is a file is an error", async (t) => {
  const out = path.join(await temporaryFolder(t), "file");
  await writeFile(out, "");
  await assert.rejects(listRuns(out), failsWith("NOT_FOUND", out, "it is a file", "`out`"));
});

test("a name that is taken gets the first free number", async (t) => {
  const out = await temporaryFolder(t);
  assert.equal(await freeName(out, "poems"), "poems");
  await makeRun(out, "poems", {});
  assert.equal(await freeName(out, "poems"), "poems-2");
  await makeRun(out, "poems-2", {});
  await makeRun(out, "poems-4", {});
  assert.equal(await freeName(out, "poems"), "poems-3");
});

test("a run means its best checkpoint, without one its last, without that its newest step", async (t) => {
  const out = await temporaryFolder(t);
  const all = { "step-9.safetensors": 3, "last.safetensors": 2, "best.safetensors": 1 };
  const best = await makeRun(out, "best", all);
  const last = await makeRun(out, "last", { "step-9.safetensors": 3, "last.safetensors": 2 });
  const steps = await makeRun(out, "steps", { "step-9.safetensors": 3, "step-10.safetensors": 2 });
  for (const [run, file] of [
    [best, best.best],
    [last, last.last],
    [steps, steps.stepFile(10)],
  ] as const) {
    assert.equal(await findCheckpoint(run.name, out), file);
    assert.equal(await findCheckpoint(run.path, "elsewhere"), file);
    assert.equal(await findCheckpoint(`${run.path}/`, "elsewhere"), file);
  }
  assert.equal(await findCheckpoint(best.last, out), best.last);
});

test("no run named means the newest", async (t) => {
  const out = await temporaryFolder(t);
  await makeRun(out, "old", { "last.safetensors": 1, "best.safetensors": 1 });
  const newest = await makeRun(out, "new", { "last.safetensors": 3, "best.safetensors": 2 });
  assert.equal(await findCheckpoint(undefined, out), newest.best);
});

test("where nothing was trained yet, the error says how to make the first run", async (t) => {
  const out = await temporaryFolder(t);
  const says = failsWith("NOT_FOUND", `charnn train FILE --out ${out}`);
  await assert.rejects(findCheckpoint(undefined, out), says);
  await assert.rejects(findCheckpoint("poems", out), says);
});

test("a name that no run has is answered with the nearest, or the five nearest where none is near", async (t) => {
  const out = await temporaryFolder(t);
  for (const name of ["aaaaaa", "poem-1", "poem-2", "poem-3", "poems-gru", "zzzzzz"]) {
    await makeRun(out, name, { "last.safetensors": 1 });
  }
  await assert.rejects(
    findCheckpoint("poem-11", out),
    failsWith("NOT_FOUND", "Did you mean poem-1?"),
  );
  await assert.rejects(
    findCheckpoint("poem-1111", out),
    failsWith(
      "NOT_FOUND",
      '"poem-1111"',
      /are: poem-1, poem-[23], poem-[23], poems-gru, \w+ \.\.\./,
    ),
  );
});

test("a path without a checkpoint is said to be so", async (t) => {
  const out = await temporaryFolder(t);
  const { path: empty } = await makeRun(out, "empty", {});
  await assert.rejects(findCheckpoint(empty, out), failsWith("NOT_FOUND", empty, "no checkpoint"));
  await assert.rejects(findCheckpoint("a/b.safetensors", out), failsWith("NOT_FOUND", "a/b"));
  await assert.rejects(findCheckpoint("", out), failsWith("NOT_FOUND"));
  await assert.rejects(findCheckpoint("a\0b", out), failsWith("NOT_FOUND"));
});

test("the newest steps are kept by number, and nothing else is touched", async (t) => {
  const out = await temporaryFolder(t);
  const others = ["best.safetensors", "last.safetensors", "metrics.jsonl", "step-x.safetensors"];
  const names = [...others, ...[9, 10, 100, 8].map((step) => `step-${step}.safetensors`)];
  const run = await makeRun(out, "run", Object.fromEntries(names.map((name) => [name, 1])));
  await keepNewestSteps(run, 4, 100);
  assert.equal((await readdir(run.path)).length, names.length);
  await keepNewestSteps(run, 2, 100);
  const kept = [...others, "step-10.safetensors", "step-100.safetensors"];
  assert.deepEqual((await readdir(run.path)).sort(), kept.sort());
  await keepNewestSteps(run, 0, 100);
  assert.deepEqual((await readdir(run.path)).sort(), others.sort());
});

test("clearing a run removes its checkpoints and reports, and not what others put there", async (t) => {
  const names = ["best.safetensors", "last.safetensors", "metrics.jsonl", "step-1.safetensors"];
  const files = Object.fromEntries([...names, "notes.txt"].map((name) => [name, 1]));
  const run = await makeRun(await temporaryFolder(t), "run", files);
  await clearRun(run);
  assert.deepEqual(await readdir(run.path), ["notes.txt"]);
});
