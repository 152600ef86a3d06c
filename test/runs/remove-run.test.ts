/** Runs that are removed and renamed: whole or not at all, and nothing else with them. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { runsIn } from "#src/runs/all-runs.js";
import { findRun } from "#src/runs/find-runs.js";
import { lockRun } from "#src/runs/lock.js";
import { moveRun } from "#src/runs/move-run.js";
import { finishRemovals, removeRun } from "#src/runs/remove-run.js";
import { type RunFolder, runFolder } from "#src/runs/run-folder.js";
import { filesIn } from "../helpers/executable.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { holderOf } from "../helpers/lock-holder.js";
import { isWindows } from "../helpers/system.js";

const ALL_FILES = [
  "last.safetensors",
  "best.safetensors",
  "step-12.safetensors",
  "metrics.jsonl",
  "metrics.1.jsonl",
  "events.out.tfevents.1.host",
  ".last.safetensors.0123456789abcdef.tmp",
];

/** A folder of runs with one that has every kind of file, and another. */
async function place(t: TestContext) {
  const out = path.join(await temporaryFolder(t), "runs");
  const run = await madeRun(out, "night", ALL_FILES);
  const other = await madeRun(out, "day", ["last.safetensors"]);
  return { out, run, other };
}

async function madeRun(out: string, name: string, files: readonly string[]): Promise<RunFolder> {
  const folder = runFolder(out, name);
  await mkdir(folder.path, { recursive: true });
  for (const file of files) await writeFile(path.join(folder.path, file), "12345");
  return folder;
}

test("A run is removed with all that charnn has put into its folder, and nothing else is", async (t) => {
  const { out, run, other } = await place(t);
  assert.equal(await removeRun(run), 5 * ALL_FILES.length);
  assert.deepEqual(await readdir(out), [other.name]);
  assert.deepEqual(await readdir(other.path), ["last.safetensors"]);
});

for (const [what, make] of [
  ["a file", (at: string) => writeFile(path.join(at, "notes.txt"), "mine")],
  ["a folder", (at: string) => mkdir(path.join(at, "step-3.safetensors"))],
  ["a link", (at: string) => symlink("/", path.join(at, "step-3.safetensors"))],
] as const) {
  test(`A run is not removed, nor anything of it, whose folder has ${what} that charnn did not make`, async (t) => {
    if (isWindows && what === "a link") return t.skip("needs the right to make links");
    const { out, run } = await place(t);
    await make(run.path);
    const before = await filesIn(out);
    await assert.rejects(
      removeRun(run),
      failsWith("NOT_WRITABLE", "charnn did not make", "removed"),
    );
    assert.deepEqual(await filesIn(out), before);
  });
}

test("A link to a run is neither removed nor renamed, and what it leads to stays", {
  skip: isWindows && "needs the right to make links",
}, async (t) => {
  const { out, run } = await place(t);
  await symlink(run.path, path.join(out, "link"));
  const before = await filesIn(out);
  const link = await findRun("link", out);
  await assert.rejects(removeRun(link), failsWith("NOT_WRITABLE", "is a link"));
  await assert.rejects(moveRun(link, "elsewhere"), failsWith("NOT_WRITABLE", "is a link"));
  assert.deepEqual(await filesIn(out), before);
});

test("A run that is being trained is neither removed nor renamed", async (t) => {
  const { out, run } = await place(t);
  const holder = await holderOf(t, run);
  assert.equal(await holder.asked("take"), "taken");
  const before = [...(await filesIn(run.path)).keys()];
  await assert.rejects(removeRun(run), failsWith("RUN_EXISTS", "night is being trained"));
  await assert.rejects(moveRun(run, "dusk"), failsWith("RUN_EXISTS", "night is being trained"));
  assert.deepEqual([...(await filesIn(run.path)).keys()], before);
  assert.deepEqual((await readdir(out)).sort(), ["day", "night"]);
  await holder.kill();
  await removeRun(run);
  assert.deepEqual(await readdir(out), ["day"]);
});

test("A removal that was interrupted leaves no run in any list, and is finished by the next one", async (t) => {
  const { out, run, other } = await place(t);
  const aside = path.join(out, ".night.0123456789abcdef.tmp");
  await rename(run.path, aside);
  // Where somebody else has such a name, it stays.
  const foreign = path.join(out, ".notes.0123456789abcdef.tmp");
  await mkdir(foreign);
  await writeFile(path.join(foreign, "notes.txt"), "mine");
  assert.deepEqual(
    (await runsIn(out)).map(({ folder }) => folder.name),
    [other.name],
  );
  await finishRemovals(out);
  assert.deepEqual((await readdir(out)).sort(), [path.basename(foreign), "day"]);
  assert.equal(await readFile(path.join(foreign, "notes.txt"), "utf8"), "mine");
});

test("A run gets another name with all that is in its folder, and can be trained at once", async (t) => {
  const { out, run } = await place(t);
  await writeFile(path.join(run.path, "notes.txt"), "mine");
  const before = await filesIn(run.path);
  const moved = await moveRun(run, "dusk");
  assert.equal(moved.path, path.join(out, "dusk"));
  assert.deepEqual(await filesIn(moved.path), before);
  assert.deepEqual((await readdir(out)).sort(), ["day", "dusk"]);
  const lock = await lockRun(moved);
  await lock.release();
});

test("A run gets no name that is taken, or that not every system can have", async (t) => {
  const { out, run } = await place(t);
  await writeFile(path.join(out, "notes"), "mine");
  const before = await filesIn(out);
  for (const name of ["day", "notes", "night"]) {
    await assert.rejects(moveRun(run, name), failsWith("RUN_EXISTS", `called ${name} already`));
  }
  for (const name of ["a/b", "..", "a*", "con", "~x", ""]) {
    await assert.rejects(moveRun(run, name), failsWith("INVALID_SETTING", /^The name "/));
  }
  assert.deepEqual(await filesIn(out), before);
});
