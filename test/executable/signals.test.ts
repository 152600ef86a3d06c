import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  charnn,
  filesIn,
  foxFolder,
  outcomeOf,
  sentences,
  shell,
  startCharnn,
  written,
} from "../helpers/executable.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";
import { noShell } from "../helpers/system.js";

const unlessOnWindows = { skip: process.platform === "win32" && "Windows has no signals" };

/** Settings with which a training is still running when a signal comes. */
const LONG = ["--hidden-size", "8", "--steps", "100000"];

test(
  "SIGINT in the middle of a run saves it, and the resumed run ends as an unbroken one",
  unlessOnWindows,
  async (t) => {
    const cwd = await foxFolder(t);
    await writeFile(path.join(cwd, "it's long.txt"), sentences(500));
    const train = (name: string) => [
      "train",
      "it's long.txt",
      "--hidden-size",
      "8",
      "--steps",
      "120",
      "--name",
      name,
    ];
    const broken = await startCharnn(t, [...train("broken"), "--eval-every", "20"], { cwd });
    const end = outcomeOf(broken);
    await written(broken.stderr, /^ +\d+ +20 /m);
    broken.kill("SIGINT");
    const { code, stdout, stderr } = await end;
    assert.equal(code, 130, stderr);
    assert.equal(stdout, "checkpoints/broken/best.safetensors\n");
    assert.match(stderr, /^Finishing this step and saving; Ctrl-C again stops at once\.$/m);
    assert.match(stderr, /^Interrupted and saved: step \d+ of 120, in /m);
    assert.doesNotMatch(stderr, /^ +at /m);

    const goOn = /^To continue: (charnn train 'it'\\''s long\.txt' --name broken --resume)$/m.exec(
      stderr,
    );
    assert.ok(goOn, stderr);
    const resumed = await shell(t, goOn[1], { cwd });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, /^Done: step 120 of 120, /m);
    const unbroken = await charnn(t, [...train("unbroken"), "--eval-every", "20"], { cwd });
    assert.equal(unbroken.code, 0);
    for (const file of ["last.safetensors", "best.safetensors"]) {
      const bytes = (name: string) => readFile(path.join(cwd, "checkpoints", name, file));
      assert.ok((await bytes("broken")).equals(await bytes("unbroken")), file);
    }
  },
);

test("SIGTERM saves too, with its own exit code", unlessOnWindows, async (t) => {
  const cwd = await foxFolder(t);
  const train = ["train", "fox.txt", "--name", "fox", ...LONG, "--eval-every", "20", "-q"];
  const child = await startCharnn(t, train, { cwd });
  const end = outcomeOf(child);
  const last = path.join(cwd, "checkpoints", "fox", "last.safetensors");
  while (!(await exists(last))) await setTimeout(20);
  child.kill("SIGTERM");
  const { code, stdout, stderr } = await end;
  assert.equal(code, 143, stderr);
  assert.equal(stdout, "checkpoints/fox/best.safetensors\n");
  assert.equal((await charnn(t, ["info", "fox"], { cwd })).code, 0);
});

slow("a second SIGINT leaves at once, and the run can go on", unlessOnWindows, async (t) => {
  const cwd = await foxFolder(t);
  // Many short steps, so that much is written soon.
  const shape = ["--hidden-size", "8", "--batch-size", "1", "--seq-length", "4"];
  const train = ["train", "fox.txt", "--name", "fox", ...shape, "--save-every", "100"];
  const child = await startCharnn(t, [...train, "--steps", "100000", "--json"], { cwd });
  const exit = once(child, "exit");
  // Nobody reads its output: when that is full the run stands still, and can't finish its step.
  const metrics = path.join(cwd, "checkpoints", "fox", "metrics.jsonl");
  for (let size = -1, before = -2; size !== before || size <= 0; await setTimeout(400)) {
    before = size;
    size = (await exists(metrics)) ? (await stat(metrics)).size : 0;
  }
  const announced = written(child.stderr, /Finishing this step/);
  child.kill("SIGINT");
  await announced;
  child.kill("SIGINT");
  assert.deepEqual(await exit, [130, null]);

  const resumed = await charnn(t, [...train, "--resume", "--steps", "1", "-q"], { cwd });
  assert.equal(resumed.code, 0, resumed.stderr);
});

test("SIGINT while sampling without end leaves no stack", unlessOnWindows, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const child = await startCharnn(t, ["sample", "-n", "-1"], { cwd });
  const end = outcomeOf(child);
  await written(child.stdout, /./);
  child.kill("SIGINT");
  const { code, signal, stderr } = await end;
  assert.ok(code === 130 || signal === "SIGINT", `code ${code}, signal ${signal}`);
  assert.equal(stderr, "");
});

test("a run whose output nobody reads any more is saved, and ends as by SIGPIPE", {
  skip: noShell,
}, async (t) => {
  const cwd = await foxFolder(t);
  const line = `charnn train fox.txt --name fox ${LONG.join(" ")} --json | head -n 3`;
  const { code, stdout, stderr } = await shell(t, line, { cwd });
  assert.equal(stderr, "");
  assert.equal(code, 141);
  assert.equal(stdout.split("\n").length, 4);
  assert.equal((await charnn(t, ["info", "fox"], { cwd })).code, 0);
});

/** What a command waits for when a signal comes, before a run has taken its first step. */
const BEFORE_THE_FIRST_STEP: [what: string, args: readonly string[]][] = [
  ["reads its standard input", ["-"]],
  ["takes a step of very many batches", ["fox.txt", "--accumulate", "1000000"]],
];

for (const [what, args] of BEFORE_THE_FIRST_STEP) {
  for (const [name, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    test(`${name} while a run ${what} leaves nothing of it`, unlessOnWindows, async (t) => {
      const cwd = await foxFolder(t);
      const train = ["train", ...args, "--name", "fox", "--preset", "tiny", "--hidden-size", "8"];
      const child = await startCharnn(t, train, { cwd });
      const end = outcomeOf(child);
      if (args[0] === "-") child.stdin.write(sentences(50));
      // The folder is there when the signals are heard.
      while (!(await exists(path.join(cwd, "checkpoints", "fox")))) await setTimeout(20);
      await setTimeout(500);
      child.kill(name);
      const { code, stdout, stderr } = await end;
      assert.equal(code, exitCode, stderr);
      assert.match(stderr, /^Interrupted before the first step: nothing was changed\.$/m);
      assert.equal(stdout, "");
      assert.ok(!(await exists(path.join(cwd, "checkpoints"))));
    });
  }
}

/** Commands that go on for long, or wait for their standard input. */
const LONG_COMMANDS: readonly (readonly string[])[] = [
  ["sample", "fox", "-n", "-1"],
  ["sample", "fox", "--count", "9", "-n", "100000"],
  ["sample", "fox", "--max-copy", "9", "--training-text", "-"],
  ["eval", "fox", "-"],
  ["score", "fox", "-"],
  ["copies", "-", "fox.txt"],
  ["report", "fox", "--text", "-"],
  ["report", "fox", "--watch"],
  ["bench", "--steps", "100000"],
];

slow(
  "a signal ends every command with its code, and leaves nothing",
  unlessOnWindows,
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const before = await filesIn(cwd);
    for (const args of LONG_COMMANDS) {
      for (const [name, exitCode] of [
        ["SIGINT", 130],
        ["SIGTERM", 143],
      ] as const) {
        const child = await startCharnn(t, args, { cwd });
        child.stdin.on("error", () => {});
        child.stdin.write(sentences(50));
        const end = outcomeOf(child);
        await sendWhenHeard(child, name);
        const { code, signal, stderr } = await end;
        assert.deepEqual([code, signal], [exitCode, null], `${args.join(" ")}: ${stderr}`);
        assert.doesNotMatch(stderr, /^ +at |Error|bug/m, args.join(" "));
        assert.deepEqual(await filesIn(cwd), before, args.join(" "));
      }
    }
  },
);

/** Sends a signal when the program has its handlers for them. */
async function sendWhenHeard(child: ChildProcess, name: "SIGINT" | "SIGTERM"): Promise<void> {
  if (process.platform === "linux") {
    for (;;) {
      const status = await readFile(`/proc/${child.pid}/status`, "latin1");
      const [, caught] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status) ?? [];
      if (caught !== undefined && (BigInt(`0x${caught}`) >> 13n) % 2n === 1n) break;
      await setTimeout(20);
    }
  } else await setTimeout(3_000);
  child.kill(name);
}

for (const [backend, threads, sizes] of [
  ["native", 1, { hidden: 2048, batch: 256, seq: 256 }],
  ["wasm", 1, { hidden: 1024, batch: 64, seq: 256 }],
  ["wasm", 2, { hidden: 1024, batch: 64, seq: 256 }],
] as const) {
  const where = `on the ${backend} backend with ${threads === 1 ? "one thread" : `${threads} threads`}`;
  const title = `a signal is heard within a batch that takes long ${where}, which is undone`;
  slow(title, unlessOnWindows, async (t) => {
    const cwd = await foxFolder(t);
    await writeFile(path.join(cwd, "long.txt"), sentences(20_000));
    // A single batch takes most of a minute on a slow machine, and on cpu minutes.
    const shape = ["--hidden-size", `${sizes.hidden}`, "--batch-size", `${sizes.batch}`];
    const run = ["--name", "long", "--backend", backend, "--threads", `${threads}`];
    const train = ["train", "long.txt", ...shape, "--seq-length", `${sizes.seq}`, ...run];
    const child = await startCharnn(t, train, { cwd });
    const end = outcomeOf(child);
    // The text is read at once; the batch is the trial's.
    await setTimeout(8_000);
    assert.equal(child.exitCode, null);
    child.kill("SIGINT");
    const { code, stderr } = await end;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /^Interrupted before the first step: nothing was changed\.$/m);
    assert.ok(!(await exists(path.join(cwd, "checkpoints"))));
  });
}

test("a signal while options are read from a pipe ends the command with its code", {
  skip: process.platform !== "linux" && "needs /proc",
}, async (t) => {
  const cwd = await foxFolder(t);
  assert.equal(spawnSync("mkfifo", [path.join(cwd, "pipe")]).status, 0);
  const child = await startCharnn(t, ["train", "fox.txt", "--config", "pipe"], { cwd });
  const end = outcomeOf(child);
  // Long enough to have begun; before that the signal ends Node itself.
  for (let tries = 0; ; tries++) {
    assert.ok(tries < 1_000, "the pipe is not opened");
    const descriptors = await readdir(`/proc/${child.pid}/fd`).catch(() => []);
    const links = descriptors.map((test) =>
      readlink(`/proc/${child.pid}/fd/${test}`).catch(() => ""),
    );
    if ((await Promise.all(links)).some((link) => link.endsWith("/pipe"))) break;
    await setTimeout(20);
  }
  child.kill("SIGINT");
  const { code, stdout, stderr } = await end;
  assert.deepEqual([code, stdout, stderr], [130, "", ""]);
  assert.deepEqual(await readdir(cwd), ["fox.txt", "pipe"]);
});

slow(
  "commands whose output nobody reads end as by SIGPIPE, without a word",
  unlessOnWindows,
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const commands = [
      "sample fox -n -1",
      "eval fox fox.txt",
      "eval fox fox.txt --json",
      "copies fox.txt fox.txt",
      "copies fox.txt fox.txt --json",
      "plot fox --json",
      "info",
      "info fox --json",
      "--help",
      "--version",
    ];
    for (const command of commands) {
      const gone = await shell(t, `{ sleep 0.3; charnn ${command}; } | true`, { cwd });
      assert.deepEqual([gone.code, gone.stderr], [141, ""], command);
      if (process.platform !== "linux") continue;
      const full = await shell(t, `charnn ${command} > /dev/full`, { cwd });
      assert.equal(full.code, 1, `${command}: ${full.stderr}`);
      assert.match(
        full.stderr,
        /^Error: The standard output can't be written: the disk is full\.\n.+, or send the output elsewhere\.\n$/m,
        command,
      );
      assert.doesNotMatch(full.stderr, /^ +at /m, command);
    }
  },
);

/** Takes its time after a signal, and then keeps JavaScript waiting for a minute. */
const DEAF = `
  const [terminal, signals] = process.argv.slice(1);
  const { processTerminal } = await import(terminal);
  const { Interruption } = await import(signals);
  const interruption = new Interruption(processTerminal());
  interruption.begin();
  await interruption.guard();
  await interruption.finishFirst();
  process.stdout.write("ready");
  setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000), 50);
`;

slow("a second signal ends a process that does not hear the first", unlessOnWindows, async (t) => {
  const modules = ["terminal", "signals"].map((test) =>
    import.meta.resolve(`#src/cli/terminal/${test}.js`),
  );
  const words = ["--input-type=module", "-e", DEAF, ...modules];
  const child = spawn(process.execPath, words, { timeout: 55_000, killSignal: "SIGKILL" });
  t.after(() => child.kill("SIGKILL"));
  const exit = once(child, "exit");
  await written(child.stdout, /ready/);
  await setTimeout(1_000);
  child.kill("SIGTERM");
  await setTimeout(1_000);
  assert.equal(child.exitCode, null, "the first signal ends it");
  child.kill("SIGINT");
  assert.deepEqual(await exit, [130, null]);
});

slow("a reader that does not read keeps no run from being saved", unlessOnWindows, async (t) => {
  const cwd = await foxFolder(t);
  const shape = ["--hidden-size", "8", "--batch-size", "1", "--seq-length", "4"];
  const train = ["train", "fox.txt", "--name", "fox", ...shape, "--steps", "100000", "--json"];
  const child = await startCharnn(t, train, { cwd });
  const exit = once(child, "exit");
  const metrics = path.join(cwd, "checkpoints", "fox", "metrics.jsonl");
  for (let size = -1, before = -2; size !== before || size <= 0; await setTimeout(400)) {
    before = size;
    size = (await exists(metrics)) ? (await stat(metrics)).size : 0;
  }
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [143, null]);
  assert.equal((await charnn(t, ["info", "fox"], { cwd })).code, 0);
});

slow(
  "a run goes on after SIGHUP where standard error is no terminal",
  unlessOnWindows,
  async (t) => {
    const cwd = await foxFolder(t);
    const train = ["train", "fox.txt", "--name", "fox", "--hidden-size", "8", "--steps", "300"];
    const child = await startCharnn(t, [...train, "--eval-every", "20"], { cwd });
    const end = outcomeOf(child);
    await written(child.stderr, /^ +\d+ +20 /m);
    child.kill("SIGHUP");
    child.kill("SIGHUP");
    const { code, stderr } = await end;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Done: step 300 of 300, /m);
  },
);

const onTheScreen = ["train", "fox.txt", "--name", "fox", ...LONG, "--eval-every", "50000"];

slow("a run is saved when its terminal goes, and ends as by SIGHUP", withTmux, async (t) => {
  const cwd = await foxFolder(t);
  const screen = await openScreen(t, onTheScreen, {
    cwd,
    columns: 80,
    // As an interactive shell does, it sends the signal on.
    scriptOf: (command) =>
      `trap 'kill -HUP $run' HUP; ${command} & run=$!; wait $run; wait $run; echo $? > code`,
  });
  await screen.shows(/^loss: training/m);
  screen.close();
  const code = path.join(cwd, "code");
  for (let tries = 0; !(await exists(code)) || (await stat(code)).size === 0; tries++) {
    assert.ok(tries < 1_000, "the run has not ended");
    await setTimeout(50);
  }
  assert.equal(await readFile(code, "utf8"), "129\n");
  assert.equal((await charnn(t, ["info", "fox"], { cwd })).code, 0);
});

slow("a run goes on after SIGHUP where its shell ignores that", withTmux, async (t) => {
  const cwd = await foxFolder(t);
  // Few evaluations, which take their time on a busy machine.
  await writeFile(path.join(cwd, "fox.txt"), sentences(4_000));
  const steps = [
    "--preset",
    "tiny",
    "--hidden-size",
    "32",
    "--steps",
    "200",
    "--eval-every",
    "1000",
  ];
  const screen = await openScreen(t, ["train", "fox.txt", "--name", "fox", ...steps], {
    cwd,
    columns: 80,
    scriptOf: (command) => `trap '' HUP; ${command} & echo $! > run; wait $!; echo "code $?"`,
  });
  await screen.shows(/^loss: training/m);
  process.kill(Number(await readFile(path.join(cwd, "run"), "utf8")), "SIGHUP");
  await screen.shows(/^code 0$/m);
  assert.match(screen.lines().join("\n"), /^Done: step 200 of 200, /m);
});

slow("Ctrl-Z shows the cursor, and fg brings the bar back", withTmux, async (t) => {
  const cwd = await foxFolder(t);
  const screen = await openScreen(t, onTheScreen, {
    cwd,
    columns: 80,
    scriptOf: (command) =>
      `set -m; ${command}; echo "stopped $?"; read go; fg > /dev/null; echo "code $?"`,
  });
  await screen.shows(/^loss: training/m);
  assert.equal(screen.cursorIsShown(), false);
  screen.press("C-z");
  const stopped = await screen.shows(/^stopped 148$/m);
  assert.doesNotMatch(stopped.join("\n"), /loss: training/);
  assert.equal(screen.cursorIsShown(), true);
  screen.press("Enter");
  await screen.shows(/^loss: training/m);
  assert.equal(screen.cursorIsShown(), false);
  screen.press("C-c");
  await screen.shows(/^code 130$/m);
  assert.equal(screen.cursorIsShown(), true);
});

test("the table of exit codes has all that a command ends with", async () => {
  const page = await readFile(new URL("../../docs/scripting.md", import.meta.url), "utf8");
  const [, table] = /^\| exit code \|.*\n\|---\|---\|\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const codes = [...(table ?? "").matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, list]) =>
    list.split(", ").map(Number),
  );
  assert.deepEqual(codes, [0, 1, 2, 129, 130, 140, 141, 143]);
});

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
