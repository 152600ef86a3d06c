import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import * as nodeFileSystem from "node:fs/promises";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { thenCleanUp } from "#src/clean-up.js";
import {
  copyDurably,
  type FileSystem,
  makeFolder,
  removeLeftovers,
  writeDurably,
} from "#src/files/durable-file.js";
import { isInUse, PAUSES } from "#src/in-use.js";
import { failsWith } from "../helpers/failure.js";
import { FakeSystem, systemError } from "../helpers/fake-system.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";
import { isWindows } from "../helpers/system.js";

const OLD = "the old file";
const NEW_PIECES = [Buffer.from("a new "), Buffer.alloc(0), Buffer.from("file, longer")];
const NEW = "a new file, longer";

/** Calls `before` with its name ahead of every file-system call, which it may make fail. */
function watched(before: (call: string) => void, maxWrite = Number.POSITIVE_INFINITY): FileSystem {
  const watchedHandle = (handle: nodeFileSystem.FileHandle) => ({
    write(bytes: Uint8Array, offset: number, length: number) {
      before("write");
      return handle.write(bytes, offset, Math.min(length, maxWrite));
    },
    async sync() {
      before("sync");
      await handle.sync();
    },
    async close() {
      // What fails to close is closed all the same.
      await handle.close();
      before("close");
    },
  });
  return {
    open: async (...values: Parameters<FileSystem["open"]>) => {
      before("open");
      return watchedHandle(await nodeFileSystem.open(...values)) as nodeFileSystem.FileHandle;
    },
    copyFile: async (from, to, mode) => {
      before("copyFile");
      await nodeFileSystem.copyFile(from, to, mode);
    },
    rename: async (from, to) => {
      before("rename");
      await nodeFileSystem.rename(from, to);
    },
    rm: async (target, options) => {
      before("rm");
      await nodeFileSystem.rm(target, options);
    },
  };
}

/** The two ways to replace a file. */
const WAYS = [
  {
    what: "written",
    calls: ["open", "write", "write", "sync", "close", "rename", "open", "sync", "close"],
    replace: (file: string, fileSystem?: FileSystem) => writeDurably(file, NEW_PIECES, fileSystem),
  },
  {
    what: "copied",
    calls: ["copyFile", "open", "sync", "close", "rename", "open", "sync", "close"],
    replace: async (file: string, fileSystem?: FileSystem) => {
      const folder = await nodeFileSystem.mkdtemp(path.join(tmpdir(), "charnn-copied-"));
      const source = path.join(folder, "source");
      await writeFile(source, NEW);
      await thenCleanUp(
        () => copyDurably(source, file, fileSystem),
        () => nodeFileSystem.rm(folder, { recursive: true }),
      );
    },
  },
];

for (const { what, calls: expected, replace } of WAYS) {
  test(`a file is ${what} whole, in place of the one before, and nothing else is left`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = path.join(folder, "last.safetensors");
    for (let time = 0; time < 2; time++) {
      await replace(file);
      assert.equal(await readFile(file, "utf8"), NEW);
      assert.deepEqual(await readdir(folder), ["last.safetensors"]);
      await writeFile(file, OLD);
    }
  });

  test(`a file that is ${what} is synced before it is renamed, and the folder after`, async (t) => {
    const calls: string[] = [];
    const file = path.join(await temporaryFolder(t), "file");
    await replace(
      file,
      watched((call) => calls.push(call)),
    );
    assert.deepEqual(calls, expected);
  });
}

test("changing a copy leaves the file that was copied as it was", async (t) => {
  const folder = await temporaryFolder(t);
  const [best, last] = ["best", "last"].map((name) => path.join(folder, name)) as [string, string];
  await writeFile(best, OLD);
  await copyDurably(best, last);
  await nodeFileSystem.truncate(last, 3);
  assert.equal(await readFile(best, "utf8"), OLD);
});

test("an empty file is written in place of another", async (t) => {
  const file = path.join(await temporaryFolder(t), "file");
  await writeFile(file, OLD);
  await writeDurably(file, []);
  assert.equal(await readFile(file, "utf8"), "");
});

test("what a short write leaves is written by the next", async (t) => {
  const file = path.join(await temporaryFolder(t), "file");
  await writeDurably(
    file,
    NEW_PIECES,
    watched(() => {}, 5),
  );
  assert.equal(await readFile(file, "utf8"), NEW);
});

/** Makes the replacing of `file` fail at its first call, its second, and so on, until it succeeds. */
async function failAtEachCall(
  file: string,
  replace: (file: string, fileSystem: FileSystem) => Promise<void>,
  code: string,
  isForever: boolean,
  check: (error: unknown, isRenamed: boolean) => Promise<void>,
): Promise<number> {
  for (let failing = 1; ; failing++) {
    await writeFile(file, OLD);
    let calls = 0;
    let isRenamed = false;
    const fileSystem = watched((call) => {
      calls++;
      if (isForever ? calls >= failing : calls === failing) throw systemError(code);
      isRenamed ||= call === "rename";
    });
    const error = await replace(file, fileSystem).catch((error) => error);
    assert.equal(await readFile(file, "utf8"), isRenamed ? NEW : OLD, `call ${failing}`);
    if (calls < failing) {
      assert.equal(error, undefined);
      return failing - 1;
    }
    // Windows refuses to sync a folder, which hides what fails after.
    if (!(isWindows && isRenamed && error === undefined)) await check(error, isRenamed);
  }
}

const cases = WAYS.flatMap((way) =>
  ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO", "EMFILE"].map((code) => ({ ...way, code })),
);
for (const { what, calls, replace, code } of cases) {
  test(`${code} at any call leaves the old file or the one that is ${what}, whole, and nothing else`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = path.join(folder, "file");
    const failures = await failAtEachCall(file, replace, code, false, async (error) => {
      // Another folder does not help where files can't be opened.
      failsWith(
        "NOT_WRITABLE",
        file,
        code !== "EMFILE" ? "`out`" : isWindows ? "too many files" : "ulimit -n",
      )(error);
      assert.deepEqual(await readdir(folder), ["file"]);
    });
    assert.equal(failures, calls.length);
  });
}

for (const { what, calls, replace } of WAYS) {
  test(`a disk that fails for good leaves a whole file where one is ${what}, and the next start can write`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = path.join(folder, "last.safetensors");
    const failures = await failAtEachCall(file, replace, "EIO", true, async (error) => {
      failsWith("NOT_WRITABLE", file)(error);
      await removeLeftovers(folder);
      assert.deepEqual(await readdir(folder), ["last.safetensors"]);
      await writeDurably(file, [Buffer.from("again")]);
      assert.equal(await readFile(file, "utf8"), "again");
    });
    assert.equal(failures, calls.length);
  });
}

test("a folder that can't be synced is no failure", async (t) => {
  const file = path.join(await temporaryFolder(t), "file");
  for (const code of ["EINVAL", "EISDIR", "EPERM"]) {
    let syncs = 0;
    const fileSystem = watched((call) => {
      if (call === "sync" && ++syncs === 2) throw systemError(code);
    });
    await writeDurably(file, NEW_PIECES, fileSystem);
    assert.equal(syncs, 2);
    assert.equal(await readFile(file, "utf8"), NEW);
  }
});

test("a full disk and a missing folder are named, with what would help", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "file");
  const full = watched((call) => {
    if (call === "write") throw systemError("ENOSPC");
  });
  await assert.rejects(
    writeDurably(file, NEW_PIECES, full),
    failsWith("NOT_WRITABLE", file, "the disk is full", "Free some space"),
  );
  const lost = path.join(folder, "none", "file");
  await assert.rejects(
    writeDurably(lost, NEW_PIECES),
    failsWith("NOT_WRITABLE", lost, "there is no folder for it"),
  );
});

test("a name that leaves no room for what is added to it can be written", async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ["a".repeat(255), `${"é".repeat(127)}x`, "😀".repeat(63)]) {
    await writeDurably(path.join(folder, name), NEW_PIECES);
    assert.equal(await readFile(path.join(folder, name), "utf8"), NEW);
    assert.ok((await readdir(folder)).includes(name));
  }
  assert.equal((await readdir(folder)).length, 3);
});

test("folders that were made before one can't be are removed again", async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(
    makeFolder(path.join(folder, "a", "b", "c".repeat(300))),
    // Windows says of a name that is too long that it is not there.
    failsWith("NOT_WRITABLE", ...(isWindows ? [] : ["its name is too long"])),
  );
  assert.deepEqual(await readdir(folder), []);
  assert.equal(await makeFolder(path.join(folder, "a", "b")), path.join(folder, "a"));
  assert.equal(await makeFolder(path.join(folder, "a", "b")), undefined);
});

test("a run's temporary files are removed, whichever process has their number now", async (t) => {
  const folder = await temporaryFolder(t);
  const random = "0123456789abcdef";
  for (const tag of [process.ppid, process.pid, 1, random]) {
    for (const name of ["last.safetensors", "step-12.safetensors", "metrics.jsonl"]) {
      await writeFile(path.join(folder, `.${name}.${tag}.tmp`), "");
    }
    const lock = path.join(folder, `.lock.${randomUUID()}.${tag}.tmp`);
    await mkdir(lock);
    await writeFile(path.join(lock, "holder"), "");
  }
  // Of no run: somebody may be writing it this moment.
  const page = `.page.html.${random}.tmp`;
  await writeFile(path.join(folder, page), "");
  await removeLeftovers(folder);
  assert.deepEqual(await readdir(folder), [page]);
  const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
  await utimes(path.join(folder, page), hoursAgo, hoursAgo);
  await removeLeftovers(folder);
  assert.deepEqual(await readdir(folder), []);
});

test("files that are not temporary stay", async (t) => {
  const folder = await temporaryFolder(t);
  const kept = [
    "last.safetensors",
    "last.safetensors.123.tmp",
    ".last.safetensors.123",
    ".lock.tmp",
    ".notes.tmp",
    ".notes.abc.tmp",
    ".notes.123.tmp",
  ];
  for (const name of kept) await writeFile(path.join(folder, name), "");
  await mkdir(path.join(folder, "folder"));
  await removeLeftovers(folder);
  assert.deepEqual((await readdir(folder)).sort(), [...kept, "folder"].sort());
});

test("a file that this process is writing is no leftover, and is not written twice at once", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "file");
  const writing = writeDurably(file, [Buffer.alloc(4_000_000)]);
  await assert.rejects(writeDurably(file, []), /Two writes/);
  await removeLeftovers(folder);
  await writing;
  assert.equal((await readFile(file)).length, 4_000_000);
});

test("on Windows a file that somebody has open is replaced as soon as it is let go", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "file");
  await writeFile(file, OLD);
  const system = new FakeSystem("win32");
  let renames = 0;
  const fileSystem = watched((call) => {
    if (call !== "rename") return;
    assert.equal(checks, ++renames, "the run is looked at before each attempt");
    if (renames <= 4) throw systemError("EPERM");
  });
  let checks = 0;
  const beforeRename = async () => {
    checks++;
  };
  await writeDurably(file, NEW_PIECES, { ...fileSystem, system }, { beforeRename });
  assert.equal(await readFile(file, "utf8"), NEW);
  assert.equal(renames, 5);
  assert.deepEqual(system.pauses, PAUSES.slice(0, 4));
  assert.deepEqual(await readdir(folder), ["file"]);
});

test("on Windows a file that stays open keeps what it holds, and the error says why", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "file");
  await writeFile(file, OLD);
  for (const code of ["EPERM", "EACCES", "EBUSY"]) {
    const system = new FakeSystem("win32");
    const fileSystem = watched((call) => {
      if (call === "rename") throw systemError(code);
    });
    const error = await writeDurably(file, NEW_PIECES, { ...fileSystem, system }).catch((it) => it);
    failsWith("NOT_WRITABLE", file, "another program has it open", "Close that program")(error);
    assert.ok(isInUse(error));
    assert.deepEqual(system.pauses, PAUSES);
    assert.equal(await readFile(file, "utf8"), OLD);
    assert.deepEqual(await readdir(folder), ["file"]);
  }
});

const BYTES = 1_000_000;

/** A process that writes `file` over and over, each time full of another byte. */
function startWriter(file: string): ChildProcess {
  const program = `
    import { removeLeftovers, writeDurably } from ${JSON.stringify(
      import.meta.resolve("#src/files/durable-file.js"),
    )};
    import { dirname } from "node:path";
    const file = process.argv[1];
    await removeLeftovers(dirname(file));
    for (let round = 0; ; round++) {
      const piece = Buffer.alloc(${BYTES / 10}, round % 256);
      await writeDurably(file, Array(10).fill(piece));
      if (round === 0) process.stdout.write("writing");
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", program, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

slow("a writer killed at any moment leaves a whole file, and the next one cleans up", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "last.safetensors");
  for (let kill = 0; kill < 20; kill++) {
    const writer = startWriter(file);
    assert.ok(writer.stdout);
    await once(writer.stdout, "data");
    await setTimeout(Math.random() * 20);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    const bytes = await readFile(file);
    assert.equal(bytes.length, BYTES);
    assert.ok(bytes.every((byte) => byte === bytes[0]));
    const leftovers = (await readdir(folder)).filter((name) => name.endsWith(".tmp"));
    assert.ok(leftovers.length <= 1, `the one before was not removed: ${leftovers}`);
  }
  await removeLeftovers(folder);
  assert.deepEqual(await readdir(folder), ["last.safetensors"]);
});

test("a temporary file that another process removed is reported as the check before the rename says", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "file");
  await writeFile(file, OLD);
  let isLost = false;
  const beforeRename = async () => {
    if (isLost) throw new Error("the run is lost");
  };
  // As if the process were stopped at the rename until another one has taken the run.
  const fileSystem = watched((call) => {
    if (call !== "rename") return;
    for (const name of readdirSync(folder).filter((test) => test.endsWith(".tmp"))) {
      rmSync(path.join(folder, name));
    }
    isLost = true;
  });
  await assert.rejects(
    writeDurably(file, NEW_PIECES, fileSystem, { beforeRename }),
    /^Error: the run is lost$/,
  );
  assert.equal(await readFile(file, "utf8"), OLD);
});
