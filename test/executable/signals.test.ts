import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  charnn,
  outcomeOf,
  sentences,
  shell,
  startCharnn,
  workplace,
  written,
} from "../helpers/executable.js";

const unlessOnWindows = { skip: process.platform === "win32" && "Windows has no signals" };

/** Settings with which a training is still at it when a signal comes. */
const LONG = ["--hidden-size", "8", "--steps", "100000"];

test(
  "SIGINT in the middle of a run saves it, and the resumed run ends as an unbroken one",
  unlessOnWindows,
  async (t) => {
    const cwd = await workplace(t);
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
    await written(broken.stderr, /^step 20,/m);
    broken.kill("SIGINT");
    const { code, stdout, stderr } = await end;
    assert.equal(code, 130, stderr);
    assert.equal(stdout, "checkpoints/broken/best.safetensors\n");
    assert.match(stderr, /^Finishing this step and saving; once more to leave at once\.$/m);
    assert.match(stderr, /^Interrupted and saved: step \d+ of 120, in /m);
    assert.doesNotMatch(stderr, /^ +at /m);

    const goOn = /^Go on: (charnn train 'it'\\''s long\.txt' --name broken --resume)$/m.exec(
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
  const cwd = await workplace(t);
  const child = await startCharnn(t, ["train", "fox.txt", "--name", "fox", ...LONG, "-q"], { cwd });
  const end = outcomeOf(child);
  const last = path.join(cwd, "checkpoints", "fox", "last.safetensors");
  while (!(await exists(last))) await setTimeout(20);
  child.kill("SIGTERM");
  const { code, stdout, stderr } = await end;
  assert.equal(code, 143, stderr);
  assert.equal(stdout, "checkpoints/fox/best.safetensors\n");
  assert.equal((await charnn(t, ["info", "fox"], { cwd })).code, 0);
});

test("a second SIGINT leaves at once, and the run can go on", unlessOnWindows, async (t) => {
  const cwd = await workplace(t);
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
  const cwd = await workplace(t, { trained: true });
  const child = await startCharnn(t, ["sample", "-n", "-1"], { cwd });
  const end = outcomeOf(child);
  await written(child.stdout, /./);
  child.kill("SIGINT");
  const { code, signal, stderr } = await end;
  assert.ok(code === 130 || signal === "SIGINT", `code ${code}, signal ${signal}`);
  assert.equal(stderr, "");
});

test("a run whose output nobody reads any more is saved and ends", async (t) => {
  const cwd = await workplace(t);
  const line = `charnn train fox.txt --name fox ${LONG.join(" ")} --json | head -n 3`;
  const { code, stdout, stderr } = await shell(t, line, { cwd });
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.equal(stdout.split("\n").length, 4);
  assert.equal((await charnn(t, ["info", "fox"], { cwd })).code, 0);
});

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
