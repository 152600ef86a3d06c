import assert from "node:assert/strict";
import * as nodeFileSystem from "node:fs/promises";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { isAbsent, namesIn } from "#src/files/folder-names.js";
import { contentsOf, keepNewestSteps } from "#src/runs/run-contents.js";
import { freeName, runFolder } from "#src/runs/run-folder.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { noLinks } from "../helpers/system.js";

async function folderWith(t: TestContext, ...names: string[]) {
  const folder = runFolder(await temporaryFolder(t), "run");
  await mkdir(folder.path);
  for (const name of names) await writeFile(path.join(folder.path, name), "");
  return folder;
}

/** A file system in which looking at anything fails. */
function failing(code: string) {
  const fail = async () => {
    throw Object.assign(new Error(`${code}: injected`), { code });
  };
  return { readdir: fail, lstat: fail } as unknown as typeof nodeFileSystem;
}

test("The content of a run's folder is nothing where there is no folder, an empty one, or one with other files", async (t) => {
  const none = runFolder(await temporaryFolder(t), "none");
  assert.equal(await contentsOf(none), undefined);
  const other = await folderWith(t, "notes.txt", ".last.safetensors.1.tmp", "step-x.safetensors");
  assert.equal(await contentsOf(other), undefined);
});

test("The content of a run's folder is a run by any one of its files", async (t) => {
  const event = "events.out.tfevents.1.host.2";
  const nothing = { last: false, best: false, steps: [], metrics: false, eventFiles: [] };
  const cases: [name: string, contents: object][] = [
    ["last.safetensors", { last: true }],
    ["best.safetensors", { best: true }],
    ["step-20.safetensors", { steps: ["step-20.safetensors"] }],
    ["metrics.jsonl", { metrics: true }],
    [event, { eventFiles: [event] }],
  ];
  for (const [name, contents] of cases) {
    const folder = await folderWith(t, name);
    assert.deepEqual(await contentsOf(folder), { ...nothing, ...contents });
  }
});

test("The content of a run's folder includes files that are there but can't be opened", {
  skip: noLinks,
}, async (t) => {
  const folder = await folderWith(t, "notes.txt");
  await symlink("last.safetensors", folder.last);
  await symlink("nowhere", folder.best);
  await mkdir(folder.metrics);
  const { last, best, metrics } = (await contentsOf(folder)) ?? {};
  assert.deepEqual([last, best, metrics], [true, true, true]);
});

test("The content of a run's folder is unknown where the folder is a file, or a link to nothing or to itself", {
  skip: noLinks,
}, async (t) => {
  const out = await temporaryFolder(t);
  await writeFile(path.join(out, "file"), "");
  await symlink("nowhere", path.join(out, "dangling"));
  await symlink("loop", path.join(out, "loop"));
  for (const [name, code] of [
    ["file", "NOT_FOUND"],
    ["dangling", "NOT_READABLE"],
    ["loop", "NOT_READABLE"],
  ] as const) {
    const folder = runFolder(out, name);
    await assert.rejects(contentsOf(folder), failsWith(code, folder.path), name);
  }
});

test("The content of a run's folder includes what another process makes while it is looked for", async (t) => {
  const folder = await folderWith(t, "last.safetensors");
  let looks = 0;
  const readdir = async (path: string) => {
    if (looks++ === 0) throw Object.assign(new Error("ENOENT: injected"), { code: "ENOENT" });
    return nodeFileSystem.readdir(path);
  };
  const late = { ...nodeFileSystem, readdir } as unknown as typeof nodeFileSystem;
  assert.equal((await contentsOf(folder, late))?.last, true);
});

for (const code of ["EACCES", "EPERM", "EIO", "ESTALE", "ELOOP", "EMFILE", "EUNKNOWN"]) {
  test(`The content of a run's folder is unknown when the system answers ${code}`, async () => {
    const folder = runFolder("checkpoints", "run");
    const fails = failsWith("NOT_READABLE", folder.path);
    await assert.rejects(contentsOf(folder, failing(code)), fails);
    await assert.rejects(namesIn(folder.path, failing(code)), fails);
    await assert.rejects(isAbsent(folder.path, failing(code)), fails);
  });
}

test("A free name is not one that a link to nothing or to itself has", {
  skip: noLinks,
}, async (t) => {
  const out = await temporaryFolder(t);
  await symlink("nowhere", path.join(out, "poems"));
  await symlink("poems-2", path.join(out, "poems-2"));
  assert.equal(await freeName(out, "poems"), "poems-3");
});

test("A free name is not looked for below a file", async (t) => {
  const out = path.join(await temporaryFolder(t), "file");
  await writeFile(out, "");
  await assert.rejects(freeName(out, "poems"), failsWith("NOT_FOUND", out));
});

test("Keeping the newest steps leaves checkpoints of later steps alone, which are not counted", async (t) => {
  const steps = [10, 20, 30, 40].map((step) => `step-${step}.safetensors`);
  const folder = await folderWith(t, ...steps);
  await keepNewestSteps(folder, 1, 20);
  assert.deepEqual((await contentsOf(folder))?.steps, steps.slice(1).toReversed());
});
