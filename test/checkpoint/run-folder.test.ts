import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { test } from "node:test";
import {
  clearRun,
  findCheckpoint,
  freeName,
  keepNewestSteps,
  listRuns,
  lockRun,
  type RunFolder,
  runFolder,
} from "#src/checkpoint/run-folder.js";
import { CharnnError } from "#src/errors.js";
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

const exists = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

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

test("runs are listed by their newest checkpoint, and folders without one left out", async (t) => {
  const out = await temporaryFolder(t);
  await makeRun(out, "old", { "last.safetensors": 100, "metrics.jsonl": 999 });
  await makeRun(out, "new", { "best.safetensors": 50, "last.safetensors": 300 });
  await makeRun(out, "middle", { "step-5.safetensors": 200 });
  await makeRun(out, "b-tie", { "last.safetensors": 100 });
  await makeRun(out, "empty", {});
  await makeRun(out, "other", { "metrics.jsonl": 400, "model.safetensors": 400 });
  await writeFile(path.join(out, "README.md"), "");
  const runs = await listRuns(out);
  assert.deepEqual(
    runs.map(({ name }) => name),
    ["new", "middle", "b-tie", "old"],
  );
  assert.equal(runs[0].last, path.join(out, "new", "last.safetensors"));
});

test("where there is no folder of runs there are no runs", async (t) => {
  assert.deepEqual(await listRuns(path.join(await temporaryFolder(t), "none")), []);
});

test("a folder of runs that is a file is an error", async (t) => {
  const out = path.join(await temporaryFolder(t), "file");
  await writeFile(out, "");
  await assert.rejects(listRuns(out), failsWith("NOT_FOUND", out));
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

test("where nothing was trained yet, the way to the first run is told", async (t) => {
  const out = await temporaryFolder(t);
  const says = failsWith("NOT_FOUND", "charnn train data/shakespeare.txt");
  await assert.rejects(findCheckpoint(undefined, out), says);
  await assert.rejects(findCheckpoint("poems", out), says);
});

test("a name that no run has is answered with the five nearest", async (t) => {
  const out = await temporaryFolder(t);
  for (const name of ["aaaaaa", "poem-1", "poem-2", "poem-3", "poems-gru", "zzzzzz"]) {
    await makeRun(out, name, { "last.safetensors": 1 });
  }
  await assert.rejects(
    findCheckpoint("poem-11", out),
    failsWith("NOT_FOUND", '"poem-11"', /are: poem-1, poem-[23], poem-[23], poems-gru, \w+ \.\.\./),
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
  await keepNewestSteps(run, 4);
  assert.equal((await readdir(run.path)).length, names.length);
  await keepNewestSteps(run, 2);
  const kept = [...others, "step-10.safetensors", "step-100.safetensors"];
  assert.deepEqual((await readdir(run.path)).sort(), kept.sort());
  await keepNewestSteps(run, 0);
  assert.deepEqual((await readdir(run.path)).sort(), others.sort());
});

test("clearing a run removes its checkpoints and reports, and not what others put there", async (t) => {
  const names = ["best.safetensors", "last.safetensors", "metrics.jsonl", "step-1.safetensors"];
  const files = Object.fromEntries([...names, "notes.txt"].map((name) => [name, 1]));
  const run = await makeRun(await temporaryFolder(t), "run", files);
  await clearRun(run);
  assert.deepEqual(await readdir(run.path), ["notes.txt"]);
});

test("a run is taken by one process until it gives it back", async (t) => {
  const run = await makeRun(await temporaryFolder(t), "run", {});
  const release = await lockRun(run);
  await assert.rejects(lockRun(run), failsWith("RUN_EXISTS", "run", `${process.pid}`));
  await release();
  assert.deepEqual(await readdir(run.path), []);
  const releaseAgain = await lockRun(run);
  await release().catch(() => {});
  await releaseAgain();
});

test("the lock of a killed process does not count", async (t) => {
  const run = await makeRun(await temporaryFolder(t), "run", {});
  const module = JSON.stringify(import.meta.resolve("#src/checkpoint/run-folder.js"));
  const program = `
    import { lockRun, runFolder } from ${module};
    await lockRun(runFolder(process.argv[1], "run"));
    process.stdout.write("taken");
    setInterval(() => {}, 1000);`;
  const holder = spawn(
    process.execPath,
    ["--input-type=module", "-e", program, path.dirname(run.path)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(holder.stdout, "data");
  await assert.rejects(lockRun(run), failsWith("RUN_EXISTS", `process ${holder.pid}`));
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const release = await lockRun(run);
  await release();
  assert.deepEqual(await readdir(run.path), []);
});

test("the lock of an earlier process with a living one's number does not count", async (t) => {
  const run = await makeRun(await temporaryFolder(t), "run", {});
  const lock = path.join(run.path, ".lock");
  const holder = { pid: process.ppid, start: "1", host: hostname() };
  if (!(await exists("/proc/self/stat"))) return t.skip("the system does not tell start times");
  await writeFile(lock, JSON.stringify(holder));
  await (await lockRun(run))();
  assert.equal(await exists(lock), false);
});

test("a lock of another machine counts, and the file to delete is named", async (t) => {
  const run = await makeRun(await temporaryFolder(t), "run", {});
  const lock = path.join(run.path, ".lock");
  await writeFile(lock, JSON.stringify({ pid: 1, host: "elsewhere" }));
  await assert.rejects(lockRun(run), failsWith("RUN_EXISTS", "process 1 on elsewhere", lock));
});

for (const content of ["", "{", "7", '{"pid":0,"host":"x"}', '{"pid":"1","host":"x"}', "null"]) {
  test(`a lock that says ${JSON.stringify(content)} was never finished and does not count`, async (t) => {
    const run = await makeRun(await temporaryFolder(t), "run", {});
    await writeFile(path.join(run.path, ".lock"), content);
    await (await lockRun(run))();
    assert.deepEqual(await readdir(run.path), []);
  });
}

test("of many that take over a lock left behind, one gets it", async (t) => {
  const run = await makeRun(await temporaryFolder(t), "run", {});
  const ended = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(ended, "exit");
  const left = JSON.stringify({ pid: ended.pid, host: hostname() });
  await writeFile(path.join(run.path, ".lock"), left);
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockRun(run)));
  const failures = results.flatMap((result) => (result.status === "rejected" ? result.reason : []));
  assert.equal(failures.length, 19);
  for (const failure of failures) {
    assert.ok(failure instanceof CharnnError && failure.code === "RUN_EXISTS", failure);
  }
  assert.match(await readFile(path.join(run.path, ".lock"), "utf8"), new RegExp(`${process.pid}`));
  assert.deepEqual(await readdir(run.path), [".lock"]);
});

test("a run whose folder is missing can't be taken", async (t) => {
  const run = runFolder(await temporaryFolder(t), "none");
  await assert.rejects(lockRun(run), failsWith("NOT_WRITABLE", run.path));
});
