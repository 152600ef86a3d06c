/** Calls of the operating system that fail, as strace makes them. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { filesIn, foxFolder, SMALL, shell } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { charnnUnder, withoutStrace } from "../helpers/strace.js";

const TRAIN = `train fox.txt --name other ${SMALL.join(" ")}`;

describe("A failing system call", { skip: withoutStrace, concurrency: 2 }, () => {
  for (const [code, said] of [
    ["ENOSPC", "the disk is full"],
    ["EDQUOT", "your disk quota is used up"],
    ["EIO", "the disk reports an error (EIO)"],
    ["ESTALE", "stale file handle"],
  ] as const) {
    slow(
      `A failing system call is explained in words when a checkpoint is saved: ${code}`,
      async (t) => {
        const cwd = await foxFolder(t);
        // What is synced is the checkpoint, and not a new folder.
        await mkdir(path.join(cwd, "checkpoints", "other"), { recursive: true });
        const line = charnnUnder(TRAIN, [`fsync:error=${code}`]);
        const { code: exitCode, stderr } = await shell(t, line, { cwd });
        assert.equal(exitCode, 1, stderr);
        assert.match(stderr, /^Error: \S+\.safetensors can't be written: /m);
        assert.ok(stderr.includes(said), stderr);
      },
    );
  }

  slow(
    "A failing system call that keeps failing is reported as its first failure, not as that of the cleaning up",
    async (t) => {
      const cwd = await foxFolder(t);
      await mkdir(path.join(cwd, "checkpoints", "other"), { recursive: true });
      const calls = ["fsync", "fdatasync", "unlink", "unlinkat", "rmdir"];
      const line = charnnUnder(
        TRAIN,
        calls.map((call) => `${call}:error=EIO`),
      );
      const { code, stderr } = await shell(t, line, { cwd });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^Error: \S+\.safetensors can't be written: the disk reports an error/m);
      assert.doesNotMatch(stderr, /lock|system refused|bug in charnn/);
    },
  );

  slow("A failing system call gives the reason why a file may not be removed", async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const best = path.join("checkpoints", "fox", "best.safetensors");
    const before = await filesIn(cwd);
    const train = `train fox.txt --name fox --overwrite ${SMALL.join(" ")}`;
    const line = charnnUnder(train, ["unlink,unlinkat,rmdir:error=EPERM"], { only: [best] });
    const { code, stderr } = await shell(t, line, { cwd });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Error: \S+best\.safetensors can't be written: permission is denied\.$/m);
    assert.deepEqual(await filesIn(cwd), before);
  });

  slow("A failing system call leaves no folder behind that the run made", async (t) => {
    const cwd = await foxFolder(t);
    const line = charnnUnder(`${TRAIN} --out a/b`, ["rename:error=EROFS"]);
    const { code, stderr } = await shell(t, line, { cwd });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /the file system is read-only/);
    assert.deepEqual(await readdir(cwd), ["fox.txt"]);
  });

  test("A failing system call is reported where the folder for a run can't be synced", async (t) => {
    const cwd = await foxFolder(t);
    const { code, stderr } = await shell(t, charnnUnder(TRAIN, ["fsync:error=EIO"]), { cwd });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Error: checkpoints\/other can't be written: the disk reports an error/);
    assert.deepEqual(await readdir(cwd), ["fox.txt"]);
  });

  slow("A failing system call is explained in words where a file is read", async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    for (const args of ["sample fox", "info fox", "eval fox fox.txt", "plot fox", "report fox"]) {
      const files = ["checkpoints/fox/best.safetensors", "checkpoints/fox/metrics.jsonl"];
      const only = files.flatMap((file) => [file, path.join(cwd, file)]);
      const line = charnnUnder(args, ["openat:error=EMFILE"], { only });
      const { code, stderr } = await shell(t, line, { cwd });
      assert.equal(code, 1, `${args}: ${stderr}`);
      assert.match(stderr, /^Error: \S+ can't be read: this process has too many files open\.$/m);
      assert.match(stderr, /ulimit -n/);
    }
  });
});

describe("Folders made for a run", { skip: withoutStrace }, () => {
  test("Folders made for a run are synced in the folder around them, up to the first that existed", async (t) => {
    const cwd = await foxFolder(t);
    const trace = path.join(cwd, "trace");
    const line = charnnUnder(`${TRAIN} --out a/b`, [], { trace, calls: ["mkdir", "fsync"] });
    const { code, stderr } = await shell(t, line, { cwd });
    assert.equal(code, 0, stderr);
    const calls = await readFile(trace, "utf8");
    for (const [made, around] of [
      ["a", cwd],
      ["a/b", path.join(cwd, "a")],
      ["a/b/other", path.join(cwd, "a/b")],
    ]) {
      const madeAt = calls.indexOf(`mkdir("${made}",`);
      const syncedAt = calls.search(new RegExp(`fsync\\(\\d+<${around}>\\)`));
      assert.ok(
        madeAt >= 0 && syncedAt > madeAt,
        `${around} is not synced after ${made}:\n${calls}`,
      );
    }
  });
});
