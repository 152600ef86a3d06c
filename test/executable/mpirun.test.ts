/** `mpirun charnn train`, by each launcher that is installed: several processes train one run. */
import assert from "node:assert/strict";
import { on } from "node:events";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { constants, hostname } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import {
  charnn,
  EXECUTABLE,
  foxFolder,
  jsonLines,
  type Outcome,
  outcomeOf,
  sentences,
} from "../helpers/executable.js";
import { charnnTogether, onEveryLauncher, startCharnnTogether } from "../helpers/mpi.js";
import { slow } from "../helpers/slow.js";

const SIZE = ["--hidden-size", "24", "--batch-size", "2", "--seq-length", "8", "--threads", "1"];
const RUN = ["train", "fox.txt", "--steps", "12", "--eval-every", "5", ...SIZE];

/** Settings in which what processes do differs. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  "LSTM, every dropout": [
    ...["--cell", "lstm", "--layers", "2", "--dropout", "0.2", "--input-dropout", "0.2"],
    ...["--recurrent-dropout", "0.2", "--weight-dropout", "0.2"],
  ],
  "windows, one-hot input": ["--batching", "windows", "--stride", "5", "--embedding-size", "0"],
  "documents by lines, two batches a step": ["--documents", "lines", "--accumulate", "2"],
  "a temperature that is fitted": ["--calibration-characters", "60", "--validation", "0.2"],
  "two members": ["--members", "2", "--dropout", "0.2"],
  "no average, sgd": ["--average-decay", "0", "--optimizer", "sgd", "--learning-rate", "0.1"],
};

const last = (cwd: string, run: string) =>
  readFile(path.join(cwd, "checkpoints", run, "last.safetensors"));

onEveryLauncher("A run of several processes", (launcher) => {
  const { skip, otherLibrary, name } = launcher;

  test("has the bytes of a run with as many workers in one process", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const alone = await charnn(t, [...RUN, "--workers", "3", "--name", "alone"], { cwd });
    assert.equal(alone.code, 0, alone.stderr);
    const expected = await last(cwd, "alone");
    for (const processes of [3, 2]) {
      const run = `of-${processes}`;
      const args = [...RUN, "--workers", "3", "--name", run];
      const { code, stderr } = await charnnTogether(t, launcher, processes, args, cwd);
      assert.equal(code, 0, stderr);
      assert.ok(expected.equals(await last(cwd, run)), `${processes} processes`);
      const best = await readFile(path.join(cwd, "checkpoints", run, "best.safetensors"));
      const ofAlone = await readFile(path.join(cwd, "checkpoints/alone/best.safetensors"));
      assert.ok(best.equals(ofAlone), `best of ${processes} processes`);
    }
  });

  for (const [variant, options] of Object.entries(VARIANTS)) {
    slow(`has the bytes of a run in one process: ${variant}`, { skip }, async (t) => {
      const cwd = await foxFolder(t);
      const args = [...RUN, ...options, "--workers", "4"];
      const alone = await charnn(t, [...args, "--name", "alone"], { cwd });
      assert.equal(alone.code, 0, alone.stderr);
      for (const processes of [4, 3]) {
        const run = `of-${processes}`;
        const line = [...args, "--name", run];
        const { code, stderr } = await charnnTogether(t, launcher, processes, line, cwd);
        assert.equal(code, 0, stderr);
        assert.ok((await last(cwd, "alone")).equals(await last(cwd, run)), run);
      }
    });
  }

  test("has a worker for each process, and speaks with one voice", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const args = [...RUN, "--name", "run", "--json"];
    const { code, stdout, stderr } = await charnnTogether(t, launcher, 2, args, cwd);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Warning: All 2 processes run on one machine: .*\n$/);
    const events = jsonLines(stdout);
    const start = events.find(({ event }) => event === "start");
    assert.equal(start.config.training.workers, 2);
    const { library, ofMachines, exchangeShare } = start.processes;
    assert.ok(library.startsWith(name), library);
    assert.deepEqual(
      ofMachines.map(({ threads }: { threads: number }) => threads),
      [1, 1],
    );
    assert.ok(exchangeShare > 0 && exchangeShare <= 1);
    const steps = events.filter(({ event }) => event === "step").map(({ step }) => step);
    assert.deepEqual(
      steps,
      Array.from({ length: 12 }, (_, k) => k + 1),
    );
    const shown = await charnnTogether(t, launcher, 2, [...RUN, "--name", "shown"], cwd);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(
      shown.stderr,
      /^ {2}processes +2 on \S+ \(.*\), 1 thread each; exchanging gradients takes [\d.]+% of a step$/m,
    );
    assert.equal(shown.stderr.match(/^Done: step 12/gm)?.length, 1);
    assert.equal(shown.stdout.trim(), path.join("checkpoints", "shown", "best.safetensors"));
    const stop = name === "Open MPI" ? "kill -USR2 with the process ID of mpirun" : "Ctrl-C";
    assert.match(shown.stderr, new RegExp(`^ {2}stop +${stop} saves and stops;`, "m"));
    assert.match(shown.stderr, /^Train longer: .*\nStart it with mpirun as before; without it,/m);
  });

  test("says how to make the same run without mpirun", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const args = [...RUN, "--name", "run"];
    const print = await charnnTogether(t, launcher, 2, [...args, "--print-config"], cwd);
    assert.equal(print.code, 0, print.stderr);
    const config = JSON.parse(print.stdout);
    assert.equal(config.workers, 2);
    const alone = [...args, "--workers", "2", "--print-config"];
    assert.deepEqual(JSON.parse((await charnn(t, alone, { cwd })).stdout), config);
    const timed = [...args.filter((word) => word !== "--steps" && word !== "12")];
    const run = await charnnTogether(t, launcher, 2, [...timed, "--max-time", "3"], cwd);
    assert.match(run.stderr, /^To repeat this run exactly, .*--workers 2 --steps \d+/m);
    const { stdout } = await charnn(t, ["info", "run"], { cwd });
    assert.match(stdout, /charnn train fox\.txt .*--workers 2/);
  });

  slow("is resumed by fewer processes, by one, and not by more", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const constant = [...SIZE, "--schedule", "constant"];
    const args = ["train", "fox.txt", "--name", "whole", "--workers", "3", "--steps", "12"];
    const whole = await charnn(t, [...args, ...constant], { cwd });
    assert.equal(whole.code, 0, whole.stderr);
    const run = ["train", "fox.txt", "--name", "run", ...constant];
    const parts: (readonly [number, number])[] = [
      [3, 4],
      [2, 9],
      [1, 12],
    ];
    for (const [processes, steps] of parts) {
      const given = [...run, "--steps", `${steps}`];
      const how = steps === 4 ? ["--workers", "3"] : ["--resume"];
      const outcome = await charnnTogether(t, launcher, processes, [...given, ...how], cwd);
      assert.equal(outcome.code, 0, outcome.stderr);
    }
    assert.deepEqual(await numbersOf(cwd, "run"), await numbersOf(cwd, "whole"));
    const more = [...run, "--resume", "--steps", "20"];
    const { stderr } = await charnnTogether(t, launcher, 4, more, cwd);
    assert.match(stderr, /^Error: The run run has 3 workers, which 4 processes can't share\.$/m);
    const { stdout } = await charnn(t, ["info", "run"], { cwd });
    assert.match(stdout, /2 lanes of 8 characters for each of 3 workers/);
  });

  test("says what is wrong once, in rank 0, and ends", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    for (const [args, says, codes] of [
      [["train", "none.txt"], /^Error: There is no file or folder "none\.txt"\.$/m, [1]],
      [[...RUN, "--workers", "2"], /^Error: 3 processes can't share 2 workers\.$/m, [2]],
      [["train", "fox.txt", "--stepz", "1"], /^Error: .*--stepz/m, [2]],
      [
        ["train", "fox.txt", "--batch-size", "900", "--seq-length", "50"],
        /^Error: Batch size 900 .* for each of 3 workers/m,
        [1],
      ],
    ] as const) {
      const { code, stdout, stderr } = await charnnTogether(t, launcher, 3, args, cwd);
      assert.equal(stdout, "");
      assert.match(stderr, says);
      assert.equal(stderr.match(/^Error:/gm)?.length, 1, stderr);
      assert.ok((codes as readonly (number | null)[]).includes(code), `exit code ${code}`);
    }
    const help = await charnnTogether(t, launcher, 2, ["train", "--help"], cwd);
    assert.equal(help.code, 0);
    assert.equal(help.stdout.match(/^Usage: /gm)?.length, 1);
    assert.deepEqual(await readdir(cwd), ["fox.txt"]);
  });

  test("of which one process dies ends, and goes on from its last checkpoint", {
    skip,
  }, async (t) => {
    const cwd = await foxFolder(t);
    const endless = ["train", "fox.txt", "--name", "run", "--steps", "100000", ...SIZE];
    const often = ["--save-every", "1", "--eval-every", "1000", "--json"];
    const child = startCharnnTogether(t, launcher, 3, [...endless, ...often], cwd);
    child.stdin.end();
    await new Promise<void>((resolve) => {
      let seen = "";
      child.stdout.on("data", (data) => {
        seen += data;
        if (seen.includes('"event":"checkpoint"')) resolve();
      });
    });
    const ranks = await processesIn(cwd);
    assert.equal(ranks.length, 3);
    const ended = outcomeOf(child);
    process.kill(ranks[ranks.length - 1], "SIGKILL");
    assert.notEqual((await ended).code, 0);
    const on = ["train", "fox.txt", "--name", "run", "--resume", "--json"];
    const { stdout } = await charnn(t, ["info", "run", "--json"], { cwd });
    const { step } = jsonLines(stdout)[0].progress;
    const more = [...on, "--steps", `${step + 2}`, ...SIZE];
    const resumed = await charnnTogether(t, launcher, 2, more, cwd);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(jsonLines(resumed.stdout).at(-1)?.step, step + 2);
  });

  test("is saved and ended by a signal, in all processes after the same step", {
    skip,
  }, async (t) => {
    const cwd = await foxFolder(t);
    const endless = ["train", "fox.txt", "--name", "run", "--steps", "100000", ...SIZE, "--json"];
    const child = startCharnnTogether(t, launcher, 2, endless, cwd, {
      by: sayingExitCode,
    });
    child.stdin.end();
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (data) => {
        if (String(data).includes('"event":"step"')) resolve();
      });
    });
    const ended = outcomeOf(child);
    // Open MPI kills its processes soon after SIGINT, and passes SIGUSR2 on; MPICH's launcher dies of that.
    const signal = name === "Open MPI" ? "SIGUSR2" : "SIGINT";
    child.kill(signal);
    const { code, stderr } = await ended;
    assert.match(stderr, /^Finishing this step and saving/m);
    const expected = 128 + constants.signals[signal];
    const codes = stderr.match(/(?<=^exit code )\d+/gm)?.map(Number);
    assert.deepEqual(codes?.sort(), [0, expected].sort());
    // MPICH 4.0's launcher loses exit codes after a signal, also those of other programs.
    if (name === "Open MPI") assert.notEqual(code, 0);
    else assert.ok(code === expected || code === 0, `exit code ${code}`);
    const { stdout } = await charnn(t, ["info", "run", "--json"], { cwd });
    const { step } = jsonLines(stdout)[0].progress;
    assert.ok(step > 0);
    const on = ["train", "fox.txt", "--name", "run", "--resume", "--json", ...SIZE];
    const resumed = await charnn(t, [...on, "--steps", `${step + 1}`], { cwd });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(jsonLines(resumed.stdout).at(-1)?.step, step + 1);
  });

  test("ends when a process that is not rank 0 is sent a second signal", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const endless = ["train", "fox.txt", "--name", "run", "--steps", "100000", ...SIZE, "--json"];
    const child = startCharnnTogether(t, launcher, 2, endless, cwd);
    child.stdin.end();
    const steps = async (count: number) => {
      for await (const [data] of on(child.stdout, "data")) {
        if (String(data).includes('"event":"step"') && --count === 0) return;
      }
    };
    const ended = outcomeOf(child);
    await steps(1);
    const follower = await processOfRankOne(cwd);
    process.kill(follower, "SIGTERM");
    // All processes have a share in each step, so by then the first signal has come; two at once count as one.
    await steps(5);
    process.kill(follower, "SIGTERM");
    const { code } = await soon(ended);
    assert.notEqual(code, 0);
    await noneIsLeft(cwd);
  });

  test("is not joined with --mpi off, nor by another MPI's library", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const both = await charnnTogether(t, launcher, 2, [...RUN, "--mpi", "off", "--json"], cwd);
    assert.equal(both.code, 0, both.stderr);
    assert.equal(both.stdout.match(/"event":"end"/g)?.length, 2);
    assert.equal((await readdir(path.join(cwd, "checkpoints"))).length, 2);
    const wrong = await charnnTogether(t, launcher, 2, [...RUN, `--mpi=${otherLibrary}`], cwd);
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stderr, /^Error: mpirun started (?:2 processes|this as one of 2)/m);
    const empty = await charnnTogether(t, launcher, 2, [...RUN, "--mpi="], cwd);
    assert.equal(empty.code, 2, empty.stderr);
    assert.deepEqual(empty.stderr.match(/^Error:.*/gm), ["Error: --mpi must not be empty."]);
  });

  test("ends where one process gets too little memory, and the error names its machine", {
    skip,
  }, async (t) => {
    const cwd = await foxFolder(t);
    // The first array for the gradients of a worker, of whole blocks of a record, can't be made.
    const lines = `globalThis.Uint8Array = class extends Uint8Array {
      constructor(...of) {
        if (of[0] >= 1_000 && of[0] % 260 === 0) throw new RangeError("Array buffer allocation failed");
        super(...of);
      }
    };`;
    await writeFile(path.join(cwd, "too-little.mjs"), lines);
    const others = [
      "-n",
      "1",
      process.execPath,
      "--import",
      "./too-little.mjs",
      EXECUTABLE,
      ...RUN,
    ];
    const { code, stderr } = await charnnTogether(t, launcher, 1, RUN, cwd, { others });
    assert.notEqual(code, 0);
    const errors = stderr.match(/^Error:.*/gm);
    assert.equal(errors?.length, 1, stderr);
    assert.match(
      errors[0],
      new RegExp(`^Error: On machine ${hostname()}: Not everything .* memory`),
    );
  });

  test("ends where one process has no library, which is said once", {
    skip,
  }, async (t) => {
    const cwd = await foxFolder(t);
    const child = startCharnnTogether(t, launcher, 1, RUN, cwd, {
      others: ["-n", "1", process.execPath, EXECUTABLE, ...RUN, "--mpi", "/nowhere/libmpi.so"],
    });
    child.stdin.end();
    const { code, stderr } = await soon(outcomeOf(child));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Error: mpirun started this as one of 2 processes, but no MPI library could be loaded here/m,
    );
    assert.equal(stderr.match(/^Error:/gm)?.length, 1, stderr);
    assert.match(stderr, /--mpi \/path\/to\/libmpi/);
    await noneIsLeft(cwd);
  });

  test("ends by a signal while it waits for a process that never joins", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const idles = 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(0))';
    const idle = ["-n", "1", process.execPath, "-e", idles];
    const child = startCharnnTogether(t, launcher, 1, RUN, cwd, { others: idle });
    child.stdin.end();
    const opensMpi = async () => {
      const [pid] = await processesIn(cwd, EXECUTABLE);
      const maps = pid === undefined ? "" : await readFile(`/proc/${pid}/maps`, "utf8");
      return /libmpi/.test(maps);
    };
    while (!(await opensMpi())) await delay(50);
    const ended = outcomeOf(child);
    await delay(500);
    child.kill("SIGTERM");
    await soon(ended);
    await noneIsLeft(cwd);
  });

  test("reads its text from the standard input of rank 0", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const args = ["train", "-", "--name", "run", "--steps", "4", ...SIZE];
    const child = startCharnnTogether(t, launcher, 2, args, cwd);
    child.stdin.end(sentences(60));
    const { code, stderr } = await outcomeOf(child);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /standard input: [\d,]+ characters/);
  });

  test("has its speed measured in all processes together by bench", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    const bench = ["bench", ...SIZE, "--steps", "3", "--json"];
    const { code, stdout, stderr } = await charnnTogether(t, launcher, 2, bench, cwd);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Warning: All 2 processes run on one machine: /);
    const [result, ...more] = jsonLines(stdout);
    assert.deepEqual(more, []);
    const { workers, processes, exchangeMs, msPerStep, trainCharsPerSecond } = result;
    assert.equal(workers, 2);
    assert.equal(processes.ofMachines.length, 2);
    assert.ok(exchangeMs > 0);
    // Two workers of two windows of eight characters.
    assert.ok(Math.abs((trainCharsPerSecond * msPerStep) / 1e3 - 32) < 1e-6);
    const apart = await charnnTogether(t, launcher, 2, [...bench, "--mpi", "off"], cwd);
    assert.equal(apart.code, 0, apart.stderr);
    const alone = jsonLines(apart.stdout);
    assert.deepEqual(
      alone.map((each) => [each.workers, each.processes]),
      Array(2).fill([1, undefined]),
    );
    const wrong = await charnnTogether(t, launcher, 2, ["bench", "--threads", "0"], cwd);
    assert.match(wrong.stderr, /^Error: --threads/m);
    assert.equal(wrong.stderr.match(/^Error:/gm)?.length, 1, wrong.stderr);
  });

  slow("takes its folds one after the other in a cross-validation", { skip }, async (t) => {
    const cwd = await foxFolder(t);
    await writeFile(path.join(cwd, "long.txt"), sentences(200));
    const args = ["train", "long.txt", "--cross-validate", "2", "--name", "cv", "--steps", "3"];
    const { code, stderr } = await charnnTogether(t, launcher, 2, [...args, ...SIZE], cwd);
    assert.equal(code, 0, stderr);
    assert.equal((await readdir(path.join(cwd, "checkpoints"))).length, 2);
  });
});

async function processOfRankOne(cwd: string): Promise<number> {
  for (const pid of await processesIn(cwd)) {
    const environment = await readFile(`/proc/${pid}/environ`, "latin1");
    if (/(?:^|\0)(?:PMI|OMPI_COMM_WORLD)_RANK=1(?:\0|$)/.test(environment)) return pid;
  }
  return assert.fail("there is no rank 1");
}

/** How a launcher ended; it fails where it goes on, before the test's own limit ends it. */
async function soon(ended: Promise<Outcome>): Promise<Outcome> {
  const outcome = await Promise.race([ended, delay(25_000, undefined, { ref: false })]);
  return outcome ?? assert.fail("it goes on");
}

/** MPICH's launcher may end a moment before the processes that it has killed. */
async function noneIsLeft(cwd: string): Promise<void> {
  for (let time = 0; time < 50 && (await processesIn(cwd)).length > 0; time++) await delay(100);
  assert.deepEqual(await processesIn(cwd), []);
}

/** Starts a program so that its exit code is written to standard error, whatever the launcher makes of it. */
const sayingExitCode = [
  "sh",
  "-c",
  'trap : INT USR2; "$0" "$@"; code=$?; echo "exit code $code" >&2; exit $code',
];

/** The numbers of a run's last checkpoint, by tensor. */
async function numbersOf(cwd: string, run: string) {
  const file = path.join(cwd, "checkpoints", run, "last.safetensors");
  const { tensors } = await readCheckpoint(file);
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}

/** The processes of Node.js that run in a folder, the newest last; those that run `file` where it is given. */
async function processesIn(cwd: string, file?: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    const [program, first] = line.split("\0");
    const runsFile = file === undefined || first === file;
    if (folder === cwd && program === process.execPath && runsFile) found.push(Number(pid));
  }
  return found.sort((a, b) => a - b);
}
