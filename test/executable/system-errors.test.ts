/** Calls of the operating system that fail, as strace makes them. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { filesIn, SMALL, shell, workplace } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { charnnUnder, withoutStrace } from "../helpers/strace.js";

const TRAIN = `train fox.txt --name other ${SMALL.join(" ")}`;

describe("A call of the system that fails", { skip: withoutStrace, concurrency: 2 }, () => {
  for (const [code, said] of [
    ["ENOSPC", "the disk is full"],
    ["EDQUOT", "your disk quota is used up"],
    ["EIO", "the disk reports an error (EIO)"],
    ["ESTALE", "stale file handle"],
  ] as const) {
    slow(`is told in words when a checkpoint is saved: ${code}`, async (t) => {
      const cwd = await workplace(t);
      // What is synced is the checkpoint, and not a new folder.
      await mkdir(path.join(cwd, "checkpoints", "other"), { recursive: true });
      const line = charnnUnder(TRAIN, [`fsync:error=${code}`]);
      const { code: exitCode, stderr } = await shell(t, line, { cwd });
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /^Error: \S+\.safetensors can't be written: /m);
      assert.ok(stderr.includes(said), stderr);
    });
  }

  slow(
    "for good is told by the first that failed, not by what could not be cleaned up",
    async (t) => {
      const cwd = await workplace(t);
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

  slow("names the reason where a file may not be removed", async (t) => {
    const cwd = await workplace(t, { trained: true });
    const best = path.join("checkpoints", "fox", "best.safetensors");
    const before = await filesIn(cwd);
    const train = `train fox.txt --name fox --overwrite ${SMALL.join(" ")}`;
    const line = charnnUnder(train, ["unlink,unlinkat,rmdir:error=EPERM"], { only: [best] });
    const { code, stderr } = await shell(t, line, { cwd });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Error: \S+best\.safetensors can't be written: permission is denied\.$/m);
    assert.deepEqual(await filesIn(cwd), before);
  });

  slow("leaves no folder behind that was made for the run", async (t) => {
    const cwd = await workplace(t);
    const line = charnnUnder(`${TRAIN} --out a/b`, ["rename:error=EROFS"]);
    const { code, stderr } = await shell(t, line, { cwd });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /the file system is read-only/);
    assert.deepEqual(await readdir(cwd), ["fox.txt"]);
  });

  it("is told where the folder for a run can't be made to last", async (t) => {
    const cwd = await workplace(t);
    const { code, stderr } = await shell(t, charnnUnder(TRAIN, ["fsync:error=EIO"]), { cwd });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Error: checkpoints\/other can't be written: the disk reports an error/);
    assert.deepEqual(await readdir(cwd), ["fox.txt"]);
  });

  slow("is told in words where something is read", async (t) => {
    const cwd = await workplace(t, { trained: true });
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
  it("are synced in the folder around them, up to the first that existed", async (t) => {
    const cwd = await workplace(t);
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
