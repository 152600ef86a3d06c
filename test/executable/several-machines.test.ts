/** `mpirun charnn train` on several machines, each with its own name and network and, where it matters, files. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { version } from "#src/version.js";
import { charnn, foxFolder, jsonLines, outcomeOf, quoted, written } from "../helpers/executable.js";
import { onMachines, ranksOnMachines, whyNoMachines } from "../helpers/machines.js";
import {
  charnnTogether,
  onEveryLauncher,
  runTogether,
  startCharnnTogether,
} from "../helpers/mpi.js";
import { slow } from "../helpers/slow.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SIZE = ["--hidden-size", "24", "--batch-size", "2", "--seq-length", "8", "--threads", "1"];
const STEPS = 12;
const RUN = ["train", "fox.txt", "--steps", `${STEPS}`, "--eval-every", "5", ...SIZE];

/** Only machine a has the folder that all start in. */
const FOLDER_ON_A = 'ssh b mount -t tmpfs tmpfs "$PWD"';

/** What is wrong with machine b alone. */
const FAULTS: readonly {
  readonly title: string;
  /** A command that makes it so. */
  readonly before: string;
  readonly args?: readonly string[];
  readonly says: RegExp;
  readonly code: number;
  /** The processors that can have it. */
  readonly only?: NodeJS.Architecture;
}[] = [
  {
    title: "another machine has no native addon",
    before: `ssh b mount -t tmpfs tmpfs ${quoted(path.join(ROOT, "native/build"))}`,
    says: /^Error: On machine b: mpirun started this as one of 2 processes\. The native backend connects them, but it does not load: .*$/m,
    code: 1,
  },
  {
    title: "another machine has another version",
    before: `ssh b mount --bind "$PWD/package.json" ${quoted(path.join(ROOT, "package.json"))}`,
    says: new RegExp(
      `^Error: On machine b: charnn is version 0\\.0\\.9, and ${version()} on the machine of rank 0\\.$`,
      "m",
    ),
    code: 1,
  },
  {
    title: "another machine lacks the backend",
    before: `ssh b mount -t tmpfs tmpfs ${quoted(path.join(ROOT, "native/wasm"))}`,
    args: ["--backend", "wasm"],
    says: /^Error: On machine b: The wasm backend does not load: .*$/m,
    code: 1,
  },
  {
    title: "another machine rounds otherwise",
    before: "ssh b 'echo export CHARNN_ISA=sse2 > /run/tmp/profile'",
    says: /^Error: Some processors have fused multiply-add and others do not, so their results would differ: a has avx\w+, b has sse2\.$/m,
    code: 1,
    only: "x64",
  },
  {
    title: "another machine has a setting in its environment that can't be right",
    before: "ssh b 'echo export CHARNN_ISA=mmx > /run/tmp/profile'",
    says: /^Error: On machine b: CHARNN_ISA names an instruction set, not "mmx"\.$/m,
    code: 2,
  },
];

/** What Open MPI says where the process it has started was faster than itself. */
const GROUP_WARNING = /^\[.*\] plm:rsh: Warning: setpgid\(.*\) failed in parent with errno=.*\n/gm;

const noMachines = whyNoMachines();

onEveryLauncher("A run on several machines", (launcher) => {
  const skip = launcher.skip || noMachines;

  test("needs files on the machine of rank 0 alone, and sends gradients from the others", {
    skip,
  }, async (t) => {
    const cwd = await foxFolder(t);
    const alone = await charnn(t, [...RUN, "--workers", "2", "--name", "alone"], { cwd });
    assert.equal(alone.code, 0, alone.stderr);
    const looks = 'ssh b cat /proc/net/dev > network && ssh b ls -A "$PWD" > files';
    const machines = onMachines(launcher, { script: `${FOLDER_ON_A} && "$@" && ${looks}` });
    const args = [...RUN, "--name", "run", "--json"];
    const { code, stdout, stderr } = await charnnTogether(t, machines, 2, args, cwd);
    assert.deepEqual([code, stderr.replace(GROUP_WARNING, "")], [0, ""]);
    const run = await readFile(checkpointOf(cwd, "run"));
    assert.ok(run.equals(await readFile(checkpointOf(cwd, "alone"))));
    const [{ parameters, processes }] = jsonLines(stdout);
    assert.deepEqual(processes.ofMachines, [
      { machine: "a", threads: 1 },
      { machine: "b", threads: 1 },
    ]);
    assert.equal(await readFile(path.join(cwd, "files"), "utf8"), "");
    // Of two machines each sends half of the numbers twice in each step, in a byte; floats would be four.
    const sent = bytesSent(await readFile(path.join(cwd, "network"), "utf8"));
    const gradients = STEPS * parameters;
    assert.ok(sent > gradients && sent < 3 * gradients, `${sent} bytes, ${gradients} of gradients`);
  });

  slow(
    "has the bytes of a run in one process on three machines and a slow network",
    {
      skip,
    },
    async (t) => {
      const cwd = await foxFolder(t);
      const alone = await charnn(t, [...RUN, "--workers", "4", "--name", "alone"], { cwd });
      assert.equal(alone.code, 0, alone.stderr);
      const machines = onMachines(launcher, { count: 3, mbits: 20 });
      const args = [...RUN, "--workers", "4", "--name", "run"];
      const { code, stderr } = await charnnTogether(t, machines, 3, args, cwd);
      assert.equal(code, 0, stderr);
      assert.match(
        stderr,
        /^ {2}processes +3 on a, b, c \(.*\), 1 thread each; exchanging gradients takes [\d.]+% of a step$/m,
      );
      const run = await readFile(checkpointOf(cwd, "run"));
      assert.ok(run.equals(await readFile(checkpointOf(cwd, "alone"))));
    },
  );

  for (const { title, before, args = [], says, code: expected, only = process.arch } of FAULTS) {
    if (only !== process.arch) continue;
    slow(`says once that ${title}, and ends`, { skip }, async (t) => {
      const cwd = await foxFolder(t);
      await writeFile(path.join(cwd, "package.json"), await packageOfVersion("0.0.9"));
      const machines = onMachines(launcher, { script: `${before} && exec "$@"` });
      const line = [...RUN, "--name", "run", ...args];
      const { code, stdout, stderr } = await charnnTogether(t, machines, 2, line, cwd);
      assert.equal(code, expected, stderr);
      assert.match(stderr, says);
      assert.equal(stderr.match(/^Error:/gm)?.length, 1, stderr);
      assert.equal(stdout, "");
    });
  }

  slow("ends every time, though a process is late", { skip }, async (t) => {
    const lines = `
      import { findLauncher } from "#src/ranks/launcher.js";
      import { openMpiRanks } from "#src/ranks/mpi-ranks.js";
      const ranks = openMpiRanks(findLauncher(process.env));
      ranks.broadcast(new Uint8Array(8), 0);
      if (ranks.rank === 1) await new Promise((resolve) => setTimeout(resolve, 300));
      ranks.close();`;
    for (let time = 0; time < 4; time++) {
      const { code, stderr } = await runTogether(t, onMachines(launcher), 2, lines);
      assert.deepEqual([code, stderr], [0, ""]);
    }
  });

  slow(
    "ends with a process that is killed elsewhere, and goes on to the same weights",
    {
      skip,
    },
    async (t) => {
      const cwd = await foxFolder(t);
      const machines = onMachines(launcher, { script: `${FOLDER_ON_A} && exec "$@"` });
      const train = ["train", "fox.txt", ...SIZE, "--eval-every", "1000"];
      const run = [...train, "--name", "run"];
      // What would otherwise follow from the number of steps.
      const settings = ["--schedule", "constant", "--warmup-steps", "5", "--dropout", "0.2"];
      const dropout = [
        "--input-dropout",
        "0",
        "--ngram-dropout",
        "0.1",
        "--recurrent-dropout",
        "0",
      ];
      const fixed = [...settings, ...dropout, "--section-windows", "0", "--workers", "2"];
      const endless = [...run, ...fixed, "--steps", "100000", "--save-every", "1", "--json"];
      const child = startCharnnTogether(t, machines, 2, endless, cwd);
      child.stdin.end();
      const ended = outcomeOf(child);
      await written(child.stdout, /"event":"checkpoint"/);
      process.kill((await ranksOnMachines(child.pid as number)).get(1) as number, "SIGKILL");
      assert.notEqual((await ended).code, 0);
      const { stdout } = await charnn(t, ["info", "run", "--json"], { cwd });
      const { step } = jsonLines(stdout)[0].progress;
      const onTwo = [...run, "--resume", "--steps", `${step + 3}`];
      const two = await charnnTogether(t, machines, 2, onTwo, cwd);
      assert.equal(two.code, 0, two.stderr);
      const last = `${step + 6}`;
      const one = await charnn(t, [...run, "--resume", "--steps", last], { cwd });
      assert.equal(one.code, 0, one.stderr);
      const unbroken = [...train, ...fixed, "--name", "whole", "--steps", last];
      const whole = await charnn(t, unbroken, { cwd });
      assert.equal(whole.code, 0, whole.stderr);
      assert.deepEqual(await numbersOf(cwd, "run"), await numbersOf(cwd, "whole"));
    },
  );
});

/** What says which version a program is. */
async function packageOfVersion(other: string): Promise<string> {
  const own = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8"));
  return JSON.stringify({ ...own, version: other });
}

function checkpointOf(cwd: string, run: string): string {
  return path.join(cwd, "checkpoints", run, "last.safetensors");
}

/** The numbers of a run's last checkpoint, by tensor. */
async function numbersOf(cwd: string, run: string) {
  const { tensors } = await readCheckpoint(checkpointOf(cwd, run));
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}

/** By the interface of a machine. */
function bytesSent(devices: string): number {
  const [, counters] = /^ *eth0: *(.*)$/m.exec(devices) ?? [];
  return Number(counters.split(/ +/)[8]);
}
