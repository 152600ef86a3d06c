/** Two trainers never write one run, and a run whose trainer was killed can always be taken over. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { describe, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { copiedProgram } from "../helpers/copied-program.js";
import {
  charnn,
  EXECUTABLE,
  filesIn,
  foxFolder,
  jsonLines,
  plainEnvironment,
  written,
} from "../helpers/executable.js";
import { PLACES, type Place, whyNot } from "../helpers/namespaces.js";
import { slow } from "../helpers/slow.js";

const RUN = ["train", "fox.txt", "--name", "fox", "--hidden-size", "8", "--threads", "1"];
const METRICS = path.join("checkpoints", "fox", "metrics.jsonl");
const TRAIN = [...RUN, "--steps", "300", "--eval-every", "50", "--json"];
/** Ends with the test. */
const TRAIN_LONG = [...RUN, "--steps", "1000000", "--eval-every", "100", "--json"];

/** A training that has saved something. */
async function training(
  t: TestContext,
  cwd: string,
  place: Place,
  { train = TRAIN, program = EXECUTABLE } = {},
): Promise<ChildProcessByStdio<null, Readable, Readable>> {
  const [command, ...args] = [...PLACES[place], process.execPath, program, ...train];
  const child = spawn(command, args, {
    cwd,
    env: plainEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  await written(child.stdout, /"kind":"last"/);
  return child;
}

describe("A run", { skip: whyNot("otherHost", "otherNumbers"), concurrency: 3 }, () => {
  slow(
    "A run whose container was killed goes on in the next, and ends with the same bytes",
    async (t) => {
      const whole = await foxFolder(t);
      assert.equal((await charnn(t, TRAIN, { cwd: whole })).code, 0);
      for (const place of ["otherHost", "otherNumbers"] as const) {
        const cwd = await foxFolder(t);
        const killed = await training(t, cwd, place);
        killed.kill("SIGKILL");
        await once(killed, "close");
        const { code, stderr } = await charnn(t, [...TRAIN, "--resume"], { cwd });
        assert.equal(code, 0, stderr);
        const last = path.join("checkpoints", "fox", "last.safetensors");
        const [ends, expected] = await Promise.all(
          [cwd, whole].map((folder) => readFile(path.join(folder, last))),
        );
        assert.ok(ends.equals(expected), place);
      }
    },
  );

  slow(
    "A run that is being trained in another container can't be resumed here, and is not disturbed",
    async (t) => {
      const cwd = await foxFolder(t);
      const trainer = await training(t, cwd, "otherNumbers", { train: TRAIN_LONG });
      for (const more of [["--resume"], ["--overwrite"]]) {
        const { code, stderr } = await charnn(t, [...TRAIN, ...more], { cwd });
        assert.equal(code, 1, stderr);
        assert.match(stderr, /The run fox is being trained by process \d+/);
      }
      const steps = async () => {
        const metrics = await readFile(path.join(cwd, METRICS), "utf8");
        const events = jsonLines(metrics.slice(0, metrics.lastIndexOf("\n")));
        return events.flatMap(({ event, step }) => (event === "step" ? [step] : []));
      };
      const before = await steps();
      let after = before;
      while (after.length === before.length) {
        await setTimeout(50);
        assert.equal(trainer.exitCode, null);
        after = await steps();
      }
      assert.deepEqual(
        after,
        after.map((_, index) => index + 1),
      );
      trainer.kill("SIGKILL");
      await once(trainer, "close");
    },
  );

  slow(
    "A run that was taken over while its process was stopped is not written by that process",
    async (t) => {
      const cwd = await foxFolder(t);
      const program = await copiedProgram(t);
      const stopped = await training(t, cwd, "here", { train: TRAIN_LONG, program });
      const stderr: Buffer[] = [];
      stopped.stderr.on("data", (bytes) => stderr.push(bytes));
      stopped.kill("SIGSTOP");
      const [command, ...args] = [...PLACES.otherNumbers, process.execPath, program, ...RUN];
      const taker = spawn(command, [...args, "--steps", "100", "--json", "--overwrite"], {
        cwd,
        env: plainEnvironment(),
        stdio: ["ignore", "ignore", "inherit"],
      });
      t.after(() => taker.kill("SIGKILL"));
      assert.deepEqual(await once(taker, "close"), [0, null]);
      const before = await filesIn(cwd);
      stopped.kill("SIGCONT");
      assert.deepEqual(await once(stopped, "close"), [1, null]);
      assert.match(`${Buffer.concat(stderr)}`, /The run fox is no longer this process's/);
      const after = await filesIn(cwd);
      // One line of the metrics may have been on its way when the process was stopped.
      for (const files of [before, after]) assert.ok(files.delete(METRICS));
      assert.deepEqual(after, before);
    },
  );
});
