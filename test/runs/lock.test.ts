import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as nodeFileSystem from "node:fs/promises";
import { appendFile, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemCalls } from "#src/backends/native/addon.js";
import { removeLeftovers } from "#src/files/durable-file.js";
import { startOf } from "#src/processes.js";
import { lockRun, renameToFree, watchTraining } from "#src/runs/lock.js";
import { type RunFolder, runFolder } from "#src/runs/run-folder.js";
import { copiedProgram } from "../helpers/copied-program.js";
import { failsWith } from "../helpers/failure.js";
import { failing, systemError } from "../helpers/fake-system.js";
import { temporaryFolder } from "../helpers/folder.js";
import { holderOf } from "../helpers/lock-holder.js";
import { mounted, type Place, whyNot } from "../helpers/namespaces.js";
import { slow } from "../helpers/slow.js";
import { isWindows, noLinks, noShell } from "../helpers/system.js";

/** Most of the time these tests wait for a sign of a process. */
const TOGETHER = { concurrency: 6 };

async function all<T>(cases: readonly T[], check: (test: T) => Promise<void>): Promise<void> {
  await Promise.all(cases.map(check));
}

async function emptyRun(t: TestContext): Promise<RunFolder> {
  const run = runFolder(await temporaryFolder(t), "run");
  await mkdir(run.path);
  return run;
}

/** Puts a lock there that says this. */
async function leaveLock(run: RunFolder, content: string | object): Promise<void> {
  const lock = path.join(run.path, ".lock");
  await mkdir(lock, { recursive: true });
  const text = typeof content === "string" ? content : JSON.stringify(content);
  await writeFile(path.join(lock, "other"), text);
}

/** The number of a process that has ended. */
async function endedProcess(): Promise<number | undefined> {
  const ended = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(ended, "exit");
  return ended.pid;
}

test("a run is taken by one process until it gives it back", async (t) => {
  const run = await emptyRun(t);
  const isTrained = watchTraining(run);
  assert.equal(await isTrained(), false);
  const lock = await lockRun(run);
  await lock.check();
  assert.equal(await isTrained(), true);
  await assert.rejects(lockRun(run), failsWith("RUN_EXISTS", "run", `process ${process.pid}`));
  await lock.release();
  assert.equal(await isTrained(), false);
  assert.deepEqual(await readdir(run.path), []);
  await (await lockRun(run)).release();
  assert.deepEqual(await readdir(run.path), []);
});

test("a pipe in the place of a lock is not waited for", { skip: noShell }, async (t) => {
  const run = await emptyRun(t);
  await mkdir(path.join(run.path, ".lock"));
  const pipe = path.join(run.path, ".lock", "other");
  if (spawnSync("mkfifo", [pipe]).status !== 0) return t.skip("there are no named pipes here");
  await (await lockRun(run)).release();
  assert.deepEqual(await readdir(run.path), []);
});

const NO_LOCKS: Readonly<Record<string, (lock: string) => Promise<unknown>>> = {
  "a file": (lock) => writeFile(lock, "mine"),
  "a link to itself": (lock) => symlink(".lock", lock),
  "a folder with a folder": (lock) => mkdir(path.join(lock, "mine"), { recursive: true }),
};
for (const [what, make] of Object.entries(NO_LOCKS)) {
  const skip = what.includes("link") && noLinks;
  test(`${what} in the place of a lock is named and left there`, { skip }, async (t) => {
    const run = await emptyRun(t);
    const lock = path.join(run.path, ".lock");
    await make(lock);
    await assert.rejects(lockRun(run), failsWith("NOT_WRITABLE", `${lock} is not a lock`));
    assert.equal(await watchTraining(run)(), false);
    assert.deepEqual(await readdir(run.path), [".lock"]);
  });
}

test("giving a run back twice leaves the lock of who has taken it since", async (t) => {
  const run = await emptyRun(t);
  const first = await lockRun(run);
  await first.release();
  const second = await lockRun(run);
  await first.release();
  await second.check();
  await assert.rejects(lockRun(run), failsWith("RUN_EXISTS"));
  await second.release();
});

test("one process may have several runs at once", async (t) => {
  const out = await temporaryFolder(t);
  const runs = ["a", "b", "c"].map((name) => runFolder(out, name));
  for (const run of runs) await mkdir(run.path);
  const locks = await Promise.all(runs.map((run) => lockRun(run)));
  await locks[0].release();
  await locks[1].check();
  await assert.rejects(lockRun(runs[2]), failsWith("RUN_EXISTS"));
  for (const lock of locks) await lock.release();
});

test("of many attempts in one process at once, one gets the run", async (t) => {
  const run = await emptyRun(t);
  const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => lockRun(run)));
  const taken = attempts.flatMap((test) => (test.status === "fulfilled" ? [test.value] : []));
  assert.equal(taken.length, 1);
  await taken[0].release();
  assert.deepEqual(await readdir(run.path), []);
});

for (const code of ["EPERM", "EACCES", "EBUSY"]) {
  test(`a lock that is given back while another process is refused it with ${code} is taken`, async () => {
    const rename = failing([code, code], undefined);
    for (const gone of ["ENOENT", "EPERM"]) {
      const stat = async () => {
        throw systemError(gone);
      };
      assert.equal(await renameToFree("new", ".lock", { rename, stat }), true);
    }
  });

  test(`a lock that is there when ${code} refuses it is another process's`, async (t) => {
    const { stat } = nodeFileSystem;
    const rename = failing([code], undefined);
    const folder = await temporaryFolder(t);
    assert.equal(await renameToFree("new", folder, { rename, stat }), false);
  });

  test(`a folder that allows no lock, as ${code} says again and again, is an error`, async () => {
    const { stat } = nodeFileSystem;
    const rename = failing(Array(10).fill(code), undefined);
    await assert.rejects(renameToFree("new", "nothing here", { rename, stat }), { code });
  });
}

test("a run whose folder is missing can't be taken", async (t) => {
  const run = runFolder(await temporaryFolder(t), "none");
  await assert.rejects(lockRun(run), failsWith("NOT_WRITABLE", run.path));
});

test("a process whose lock was removed learns it", async (t) => {
  const run = await emptyRun(t);
  const lock = await lockRun(run);
  await rm(path.join(run.path, ".lock"), { recursive: true });
  await lock.check(60_000);
  await assert.rejects(lock.check(), failsWith("RUN_EXISTS", "run", ".lock was removed"));
  await lock.release();
});

test("a process ends though it has not given its run back", async (t) => {
  const holder = await holderOf(t, await emptyRun(t));
  assert.equal(await holder.asked("take"), "taken");
  assert.equal(await holder.asked("leave"), "leaving");
  assert.equal(await holder.end(), 0);
});

for (const content of ["", "{", "7", '{"pid":0,"host":"x"}', '{"pid":"1","host":"x"}', "null"]) {
  test(`a lock that says ${JSON.stringify(content)} is damaged and does not count`, async (t) => {
    const run = await emptyRun(t);
    await leaveLock(run, content);
    await (await lockRun(run)).release();
    assert.deepEqual(await readdir(run.path), []);
  });
}

test("a lock that can't be read is not taken for one that is not there", async (t) => {
  const run = await emptyRun(t);
  await mkdir(path.join(run.path, ".lock", "folder"), { recursive: true });
  await assert.rejects(lockRun(run), failsWith("NOT_WRITABLE", ".lock"));
  assert.deepEqual(await readdir(run.path), [".lock"]);
});

describe("A lock of an earlier version, which does not beat,", TOGETHER, () => {
  test("A lock of an earlier version, which does not beat, counts while its process runs on this host", async (t) => {
    const run = await emptyRun(t);
    const { ppid: pid } = process;
    await leaveLock(run, { pid, start: startOf(pid), host: hostname() });
    await assert.rejects(lockRun(run), failsWith("RUN_EXISTS", `process ${pid}.`));
    assert.equal(await watchTraining(run)(), true);
  });

  slow(
    "A lock of an earlier version, which does not beat, does not count when its process has ended, even if another has its number",
    async (t) => {
      const { ppid } = process;
      const ended = { pid: await endedProcess() };
      // Only Linux tells when a process started.
      const others = startOf(ppid) ? [{ pid: ppid, start: "1" }] : [];
      await all([ended, ...others], async (holder) => {
        const run = await emptyRun(t);
        await leaveLock(run, { ...holder, host: hostname() });
        await (await lockRun(run)).release();
        assert.deepEqual(await readdir(run.path), []);
      });
    },
  );

  slow(
    "A lock of an earlier version, which does not beat, does not count when it is of another host and nothing happens in the run's folder",
    async (t) => {
      const run = await emptyRun(t);
      await leaveLock(run, { pid: 1, host: "elsewhere" });
      await (await lockRun(run)).release();
      assert.deepEqual(await readdir(run.path), []);
    },
  );

  test("A lock of an earlier version, which does not beat, counts when it is of another host and the run goes on", async (t) => {
    const run = await emptyRun(t);
    await leaveLock(run, { pid: 17, host: "elsewhere" });
    const steps = setInterval(() => appendFile(run.metrics, "{}\n"), 500);
    t.after(() => clearInterval(steps));
    const says = failsWith("RUN_EXISTS", "process 17 on elsewhere", "stop it there");
    await assert.rejects(lockRun(run), says);
  });
});

test("waiting for a sign of a process can be interrupted", async (t) => {
  const run = await emptyRun(t);
  await leaveLock(run, { pid: 1, host: "elsewhere", beat: "1" });
  await assert.rejects(lockRun(run, AbortSignal.timeout(300)), { name: "TimeoutError" });
  assert.deepEqual(await readdir(run.path), [".lock"]);
});

/** With the addon the program that was built, without it a copy. */
async function programOf(t: TestContext, hasAddon: boolean): Promise<string | undefined> {
  return hasAddon ? undefined : copiedProgram(t);
}

/** Each process with the addon and without, as where there is no compiler. */
const KINDS = [
  { holds: true, wants: true },
  { holds: true, wants: false },
  { holds: false, wants: true },
  { holds: false, wants: false },
];

describe("A run wanted by several processes", {
  ...TOGETHER,
  skip: systemCalls() ? whyNot("otherHost", "otherNumbers") : "no addon",
}, () => {
  for (const { holds, wants } of KINDS) {
    const who = `the holder ${holds ? "with" : "without"} the addon, the other ${wants ? "with" : "without"}`;

    slow(
      `A run wanted by several processes is kept by one that lives in another container: ${who}`,
      async (t) => {
        const places: [Place, Place][] = [
          ["otherNumbers", "here"],
          ["here", "otherNumbers"],
          ["otherNumbers", "otherNumbers"],
          ["otherHost", "here"],
        ];
        await all(places, async ([place, other]) => {
          const run = await emptyRun(t);
          const holder = await holderOf(t, run, { place, program: await programOf(t, holds) });
          assert.equal(await holder.asked("take"), "taken");
          const taker = await holderOf(t, run, {
            place: other,
            program: await programOf(t, wants),
          });
          assert.match(
            await taker.asked("take"),
            /^RUN_EXISTS The run run is being trained by process/,
          );
          assert.equal(await holder.asked("check"), "ours");
          await Promise.all([holder.kill(), taker.kill()]);
        });
      },
    );

    slow(
      `A run wanted by several processes goes to another host and container when its holder was killed: ${who}`,
      async (t) => {
        await all(["otherHost", "otherNumbers"] as const, async (place) => {
          const run = await emptyRun(t);
          const holder = await holderOf(t, run, { place, program: await programOf(t, holds) });
          assert.equal(await holder.asked("take"), "taken");
          await holder.kill();
          const taker = await holderOf(t, run, { program: await programOf(t, wants) });
          assert.equal(await taker.asked("take"), "taken");
          assert.equal(await taker.asked("release"), "released");
          assert.deepEqual(await readdir(run.path), []);
          await taker.kill();
        });
      },
    );
  }

  slow(
    "A run wanted by several processes is kept by one that is blocked for long, without the addon",
    async (t) => {
      const run = await emptyRun(t);
      const plain = await copiedProgram(t);
      const holder = await holderOf(t, run, { place: "otherNumbers", program: plain });
      assert.equal(await holder.asked("take"), "taken");
      holder.tell("block");
      const taker = await holderOf(t, run, { program: plain });
      assert.match(await taker.asked("take"), /^RUN_EXISTS/);
      assert.equal(await holder.says(), "blocked");
    },
  );

  test("A run wanted by several processes is kept by one that is stopped, with the addon", async (t) => {
    const run = await emptyRun(t);
    const holder = await holderOf(t, run, { place: "otherHost" });
    assert.equal(await holder.asked("take"), "taken");
    holder.signal("SIGSTOP");
    const taker = await holderOf(t, run, { place: "otherNumbers" });
    assert.match(await taker.asked("take"), /^RUN_EXISTS/);
    holder.signal("SIGCONT");
    assert.equal(await holder.asked("check"), "ours");
  });

  slow(
    "A run wanted by several processes is known to be lost by one that was stopped meanwhile, without the addon",
    async (t) => {
      const run = await emptyRun(t);
      const plain = await copiedProgram(t);
      const holder = await holderOf(t, run, { program: plain });
      assert.equal(await holder.asked("take"), "taken");
      holder.signal("SIGSTOP");
      const taker = await holderOf(t, run, { place: "otherNumbers", program: plain });
      assert.equal(await taker.asked("take"), "taken");
      holder.signal("SIGCONT");
      assert.match(
        await holder.asked("check"),
        /^RUN_EXISTS Process 1 .*has taken over the run run/,
      );
      assert.equal(await holder.asked("release"), "released");
      assert.equal(await taker.asked("check"), "ours");
    },
  );

  slow(
    "A run wanted by several processes is kept by one where the file system has no locks",
    async (t) => {
      if (spawnSync("strace", ["-V"]).status !== 0) return t.skip("strace is not installed");
      const run = await emptyRun(t);
      const under = [
        "strace",
        "-f",
        "-qqq",
        "-e",
        "trace=flock",
        "-e",
        "inject=flock:error=ENOLCK",
        "-o",
        "/dev/null",
      ];
      const holder = await holderOf(t, run, { place: "otherNumbers", under });
      assert.equal(await holder.asked("take"), "taken");
      const taker = await holderOf(t, run);
      assert.match(await taker.asked("take"), /^RUN_EXISTS/);
      await holder.kill();
      assert.equal(await taker.asked("take"), "taken");
    },
  );
});

/** Each leaves a file system at `$1`; an overlay has the lock of a killed process in its lower layer. */
const FILE_SYSTEMS = {
  tmpfs: 'mount -t tmpfs none "$1" && mkdir "$1/run"',
  overlayfs: `mount -t tmpfs none "$1" && cd "$1" && mkdir -p lower/run/.lock upper work &&
    echo '{"pid":1,"host":"x"}' > lower/run/.lock/left && echo > lower/run/metrics.jsonl &&
    mount -t overlay none -o userxattr,lowerdir=lower,upperdir=upper,workdir=work "$1"`,
};

describe("A lock", TOGETHER, () => {
  slow("A lock that is removed in the making, as a leftover, is made again", async (t) => {
    const run = await emptyRun(t);
    // It takes eight seconds to see that nobody has this one.
    await leaveLock(run, {
      pid: 1,
      host: "elsewhere",
      boot: "another",
      locksFile: false,
      beat: "1",
    });
    const waiting = lockRun(run);
    for (let time = 0; time < 3; time++) {
      let making: string | undefined;
      for (; making === undefined; await sleep(20)) {
        making = (await readdir(run.path)).find((name) => name.endsWith(".tmp"));
      }
      await removeLeftovers(run.path);
      assert.ok(!(await readdir(run.path)).includes(making));
    }
    const lock = await waiting;
    assert.deepEqual(await readdir(run.path), [".lock"]);
    await lock.release();
  });

  for (const [name, script] of Object.entries(FILE_SYSTEMS)) {
    for (const hasAddon of [true, false]) {
      slow(
        `A lock of a run on ${name} is taken and given back ${hasAddon ? "with" : "without"} the addon`,
        async (t) => {
          const out = await temporaryFolder(t);
          if (isWindows) return t.skip("Windows has other file systems");
          const mounts = await mounted(t, script.replaceAll("$1", out));
          if (!mounts) return t.skip(`${name} can't be mounted here`);
          const under = [...mounts.words, "/"];
          const run = runFolder(out, "run");
          const program = await programOf(t, hasAddon);
          const [first, second] = await Promise.all([
            holderOf(t, run, { under, program }),
            holderOf(t, run, { under, program }),
          ]);
          assert.equal(await first.asked("take"), "taken");
          assert.match(await second.asked("take"), /^RUN_EXISTS/);
          assert.equal(await first.asked("check"), "ours");
          await first.kill();
          assert.equal(await second.asked("take"), "taken");
          assert.equal(await second.asked("release"), "released");
          assert.equal(await second.asked("take"), "taken");
          // Only the two see what is mounted there.
          assert.deepEqual(await readdir(out), []);
        },
      );
    }
  }
});
