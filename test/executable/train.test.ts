import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, filesIn, foxFolder, jsonLines, SMALL, sentences } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { slashed } from "../helpers/system.js";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f]/;

test("the checkpoint's path is all that goes to standard output", async (t) => {
  const cwd = await foxFolder(t);
  const { code, stdout, stderr } = await charnn(t, ["train", "fox.txt", ...SMALL], { cwd });
  assert.equal(code, 0);
  assert.equal(slashed(stdout), "checkpoints/fox-gru-1x8/best.safetensors\n");
  assert.doesNotMatch(stderr, CONTROL);
  for (const line of [
    /^ {2}text +fox\.txt: 3,291 characters, 40 different; last 10% held out$/m,
    /^ {2}model +GRU 1x8, [\d,]+ parameters$/m,
    /^ {2}run +5 steps, 1\.\d epochs; (under|about) \d+ s, \d+ MB of memory, \d+ threads?$/m,
    /^ {2}folder +checkpoints\/fox-gru-1x8$/m,
    /^ {2}stop +Ctrl-C saves and stops; --resume continues$/m,
    /^epoch {5}step {2}training {2}held out$/m,
    /^ {4}2 {8}5 {5}\d\.\d{3} {5}\d\.\d{3} {2}best$/m,
    /^Done: step 5 of 5, in (under 1|\d+) s\.$/m,
    /^ {2}Bits per character \(lower is better\):$/m,
    /^ {4}held-out part {4}\d\.\d{3} {2}[\u2588\u2591]{24} {2}best, at step 5$/m,
    /^ {4}training part {4}\d\.\d{3} {2}[\u2588\u2591]{24}$/m,
    /^ {4}\d-gram baseline {2}\d\.\d{3} {2}[\u2588\u2591]{24}$/m,
    /^The model predicts the held-out part no better than the n-gram baseline\. /m,
    /^Write: +charnn sample fox-gru-1x8$/m,
    /^Look: +charnn report fox-gru-1x8 --text fox\.txt --open$/m,
    /^Train longer: +charnn train fox\.txt --name fox-gru-1x8 --resume --steps 8$/m,
  ]) {
    assert.match(slashed(stderr), line);
  }
  const files = [...(await filesIn(path.join(cwd, "checkpoints", "fox-gru-1x8"))).keys()];
  assert.deepEqual(files.sort(), ["best.safetensors", "last.safetensors", "metrics.jsonl"]);
});

slow(
  "a run without a name is named after the text and the model, with a number if taken",
  async (t) => {
    const cwd = await foxFolder(t);
    const train = ["train", "fox.txt", "--quiet", "--cell", "lstm", "--layers", "2", ...SMALL];
    for (const name of ["fox-lstm-2x8", "fox-lstm-2x8-2", "fox-lstm-2x8-3"]) {
      const { stdout, stderr } = await charnn(t, train, { cwd });
      assert.equal(slashed(stdout), `checkpoints/${name}/best.safetensors\n`);
      assert.equal(stderr, "");
    }
  },
);

test("with --json every event is a line of JSON", async (t) => {
  const cwd = await foxFolder(t);
  const args = ["train", "fox.txt", "--json", "--name", "fox", ...SMALL];
  const { code, stdout, stderr } = await charnn(t, args, { cwd });
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.doesNotMatch(stdout, CONTROL);
  const events = jsonLines(stdout);
  const kinds = new Set(events.map(({ event }) => event));
  assert.deepEqual([...kinds], ["start", "step", "eval", "sample", "checkpoint", "end"]);
  const [start] = events;
  assert.equal(slashed(start.path), "checkpoints/fox");
  assert.equal(start.totalSteps, 5);

  const ofKind = (kind: string) => events.filter(({ event }) => event === kind);
  const hasNumbers = (event: Record<string, unknown>, ...names: string[]) => {
    for (const name of names) {
      assert.ok(Number.isFinite(event[name]), `${event.event} has ${name}: ${event[name]}`);
    }
  };
  const steps = ofKind("step");
  assert.deepEqual(
    steps.map(({ step }) => step),
    [1, 2, 3, 4, 5],
  );
  for (const step of steps) {
    hasNumbers(step, "epoch", "loss", "learningRate", "charsPerSecond", "seconds");
  }
  for (const evaluation of ofKind("eval")) {
    hasNumbers(evaluation, "step", "epoch", "loss", "validationLoss", "learningRate", "seconds");
  }
  const end = events.at(-1);
  hasNumbers(end, "step", "epoch", "loss", "validationLoss", "seconds");
  assert.equal(end.reason, "steps");
  assert.equal(slashed(end.path), "checkpoints/fox/best.safetensors");
});

test("text comes from files, folders and standard input", { concurrency: 2 }, async (t) => {
  const cwd = await foxFolder(t);
  await mkdir(path.join(cwd, "folder", "inner"), { recursive: true });
  await writeFile(path.join(cwd, "folder", "b.txt"), sentences(20));
  await writeFile(path.join(cwd, "folder", "inner", "a.txt"), sentences(30));
  await writeFile(path.join(cwd, "folder", "picture"), Uint8Array.of(1, 0, 2));
  const one = sentences(60);
  const cases: [args: string[], name: string, characters: number][] = [
    [["-"], "stdin-gru-1x8", one.length],
    [["folder"], "folder-gru-1x8", sentences(20).length + sentences(30).length],
    [["fox.txt", "-"], "fox-gru-1x8", 2 * one.length],
  ];
  const all = cases.map(([args, name, characters]) =>
    t.test(args.join(" "), async (sub) => {
      const train = ["train", ...args, "--json", ...SMALL];
      const { code, stdout } = await charnn(sub, train, { cwd, stdin: one });
      assert.equal(code, 0);
      const start = jsonLines(stdout).find(({ event }) => event === "start");
      assert.equal(start.name, name);
      assert.equal(start.config.text.characters, characters);
    }),
  );
  await Promise.all(all);
});

test("--documents lines learns and writes lines", async (t) => {
  const cwd = await foxFolder(t);
  const names = ["Anna", "Bo", "Clementine", "Dag", "Eloise", "Finn"].map((name) => `${name}\n`);
  await writeFile(path.join(cwd, "names.txt"), names.join("").repeat(20));
  const train = ["train", "names.txt", "--documents", "lines", "--quiet", ...SMALL];
  assert.equal((await charnn(t, train, { cwd })).code, 0);
  const sample = ["sample", "--length", "-1", "--count", "3", "--seed", "A", "--json"];
  const { code, stdout } = await charnn(t, sample, { cwd });
  assert.equal(code, 0);
  const texts = jsonLines(stdout);
  assert.equal(texts.length, 3);
  for (const { text } of texts) assert.doesNotMatch(text, /\n/);
});

test("--max-time ends a run in time, and says so", async (t) => {
  const cwd = await foxFolder(t);
  const limits = ["--max-time", "4s", "--epochs", "100000"];
  const args = ["train", "fox.txt", "--hidden-size", "8", ...limits];
  const { code, stdout } = await charnn(t, [...args, "--json"], { cwd });
  assert.equal(code, 0);
  const { reason, step, totalSteps, replan } = jsonLines(stdout).at(-1);
  assert.equal(reason, "max-time");
  assert.equal(step, totalSteps);
  // On a busy machine the first steps may be as slow as the trial, which then changes nothing.
  for (const { totalSteps: before } of replan) assert.ok(before > 0);
});

test("the same command makes the same bytes, another random seed others", async (t) => {
  const cwd = await foxFolder(t);
  const trained = async (name: string, ...args: string[]) => {
    await charnn(t, ["train", "fox.txt", "--name", name, "--quiet", ...SMALL, ...args], { cwd });
    return readFile(path.join(cwd, "checkpoints", name, "last.safetensors"));
  };
  const first = await trained("first");
  assert.deepEqual(await trained("second"), first);
  assert.notDeepEqual(await trained("third", "--random-seed", "1"), first);
});

slow("--resume makes a finished run longer, and starts one that is not there", async (t) => {
  const cwd = await foxFolder(t);
  const train = (...args: string[]) =>
    charnn(t, ["train", "fox.txt", "--hidden-size", "8", "--name", "fox", "--resume", ...args], {
      cwd,
    });
  const begun = await train("--steps", "4");
  assert.equal(begun.code, 0);
  assert.match(
    slashed(begun.stderr),
    /^Warning: .*no checkpoint to resume: checkpoints\/fox starts/m,
  );
  const longer = await train("--steps", "6");
  assert.match(slashed(longer.stderr), /^ {2}run +steps 4 to 6, 2 epochs; /m);
  assert.match(longer.stderr, /^Done: step 6 of 6, /m);
});

test("options can come from a file, and what is typed wins", async (t) => {
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "small.json"), '{"rnn_size": 7, "steps": 3}');
  const args = ["train", "fox.txt", "--config", "small.json", "--steps", "2", "--json"];
  const { code, stdout, stderr } = await charnn(t, args, { cwd });
  assert.equal(code, 0, stderr);
  const [{ config, totalSteps }] = jsonLines(stdout);
  assert.equal(config.model.hiddenSize, 7);
  assert.equal(totalSteps, 2);
});
