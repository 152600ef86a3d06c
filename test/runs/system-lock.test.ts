import assert from "node:assert/strict";
import { type FileHandle, mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { systemCalls } from "#src/backends/native/addon.js";
import { lockRun } from "#src/runs/lock.js";
import { type RunFolder, runFolder } from "#src/runs/run-folder.js";
import { copiedProgram } from "../helpers/copied-program.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { holderOf } from "../helpers/lock-holder.js";
import { slow } from "../helpers/slow.js";

const withAddon = { skip: !systemCalls() && "no addon" };

async function emptyRun(t: TestContext): Promise<RunFolder> {
  const run = runFolder(await temporaryFolder(t), "run");
  await mkdir(run.path);
  return run;
}

/**
 * Opens files until the end of the test, and asks the system to lock them. To be called before a folder is made
 * for them: Windows removes none with an open file in it.
 */
function opener(t: TestContext) {
  const handles: FileHandle[] = [];
  t.after(() => Promise.all(handles.map((handle) => handle.close())));
  return async (file: string, { shared }: { shared: boolean }) => {
    const handle = await open(file, "r+");
    handles.push(handle);
    const found = systemCalls()?.lockFile({ descriptor: handle.fd, shared });
    return { found, handle };
  };
}

async function fileOfLock(run: RunFolder): Promise<string> {
  const lock = path.join(run.path, ".lock");
  const [name] = await readdir(lock);
  return path.join(lock, name);
}

test(
  "a file is locked by the system for one who opened it, or for all who share it",
  withAddon,
  async (t) => {
    const locked = opener(t);
    const file = path.join(await temporaryFolder(t), "file");
    await writeFile(file, "text");
    const alone = await locked(file, { shared: false });
    assert.equal(alone.found, "taken");
    assert.equal((await locked(file, { shared: false })).found, "held");
    assert.equal((await locked(file, { shared: true })).found, "held");
    await alone.handle.close();
    const shared = [await locked(file, { shared: true }), await locked(file, { shared: true })];
    assert.deepEqual(
      shared.map(({ found }) => found),
      ["taken", "taken"],
    );
    assert.equal((await locked(file, { shared: false })).found, "held");
  },
);

test("what the system has locked can be read and written by others", withAddon, async (t) => {
  const locked = opener(t);
  const file = path.join(await temporaryFolder(t), "file");
  await writeFile(file, "text");
  assert.equal((await locked(file, { shared: false })).found, "taken");
  const other = await open(file, "r+");
  await other.write("T", 0);
  await other.close();
  assert.equal(await readFile(file, "utf8"), "Text");
});

test("the system has a run's lock as long as its process has the run", withAddon, async (t) => {
  const locked = opener(t);
  const run = await emptyRun(t);
  const holder = await holderOf(t, run);
  assert.equal(await holder.asked("take"), "taken");
  const file = await fileOfLock(run);
  const during = await locked(file, { shared: true });
  assert.equal(during.found, "held");
  await holder.kill();
  assert.equal((await locked(file, { shared: true })).found, "taken");
});

slow("a holder that gives no sign keeps its run while the system has its lock", async (t) => {
  if (!systemCalls()) return t.skip("no addon");
  const locked = opener(t);
  const run = await emptyRun(t);
  const file = path.join(run.path, ".lock", "silent");
  await mkdir(path.dirname(file));
  await writeFile(file, JSON.stringify({ pid: 1, host: "elsewhere", locksFile: true, beat: "1" }));
  const lock = await locked(file, { shared: false });
  assert.equal(lock.found, "taken");
  await assert.rejects(lockRun(run), failsWith("RUN_EXISTS", "process 1 on elsewhere"));
  await lock.handle.close();
  await (await lockRun(run)).release();
  assert.deepEqual(await readdir(run.path), []);
});

slow("A run goes to one of eight processes that find a lock left behind", async (t) => {
  if (!systemCalls()) return t.skip("no addon");
  const plain = await copiedProgram(t);
  for (const hasAddon of [[true], [false], [true, false]]) {
    const run = await emptyRun(t);
    const left = await holderOf(t, run);
    assert.equal(await left.asked("take"), "taken");
    await left.kill();
    const takers = await Promise.all(
      Array.from({ length: 8 }, (_, k) =>
        holderOf(t, run, { program: hasAddon[k % hasAddon.length] ? undefined : plain }),
      ),
    );
    const answers = await Promise.all(takers.map((taker) => taker.asked("take")));
    const refused = answers.filter((answer) => answer.startsWith("RUN_EXISTS"));
    assert.equal(refused.length, 7, answers.join("\n"));
    assert.ok(answers.includes("taken"));
    assert.deepEqual(await readdir(run.path), [".lock"]);
    await Promise.all(takers.map((taker) => taker.kill()));
  }
});
