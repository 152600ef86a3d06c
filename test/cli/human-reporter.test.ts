/** What a person sees of a run, from events that are made up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Chalk } from "chalk";
import { FollowedRun } from "#src/cli/reporters/followed-run.js";
import { humanReporter } from "#src/cli/reporters/human.js";
import { progressLines } from "#src/cli/reporters/progress-lines.js";
import { UNICODE_MARKS } from "#src/cli/terminal/marks.js";
import { shownLine } from "#src/cli/terminal/styled.js";
import type { Terminal } from "#src/cli/terminal/terminal.js";
import type {
  EndEvent,
  EvalEvent,
  SampleEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
} from "#src/training/events.js";

const START = {
  ...{ event: "start", name: "night", path: "checkpoints/night", vocabularySize: 50 },
  ...{ parameters: 1234, preset: "tiny", choice: undefined, step: 0, totalSteps: 1_000 },
  ...{ stepsPerEpoch: 100, expectedBytes: 5e7, expectedSeconds: 65, seconds: 1 },
  backend: { name: "native", threads: 2, passedOver: [] },
  config: {
    model: { cell: "gru", layers: 1, hiddenSize: 128, embeddingSize: 32, vocabularySize: 50 },
    text: {
      ...{ fingerprint: "", characters: 10_000, trainCharacters: 9_000 },
      ...{ validationCharacters: 1_000, testCharacters: 0 },
    },
    training: { split: "sequential" },
    limits: { steps: 1_000 },
  },
} as unknown as StartEvent;

const step = (at: number, loss = 1.5): StepEvent => ({
  ...{ event: "step", step: at, epoch: Math.ceil(at / 100), loss, learningRate: 1e-2 },
  ...{ gradientNorm: 1, dropped: false, charsPerSecond: 9_856, seconds: 1 + at / 10 },
});

const evaluation = (at: number, validationLoss: number, best = true): EvalEvent => ({
  ...{ event: "eval", step: at, epoch: Math.ceil(at / 100), loss: 1.25, validationLoss, best },
  ...{ learningRate: 1e-2, seconds: at / 10 },
});

const sample = (at: number, text: string): SampleEvent => ({ event: "sample", step: at, text });

const end = (facts: Partial<EndEvent> = {}): EndEvent => ({
  ...{ event: "end", step: 1_000, epoch: 10, reason: "steps", reached: "steps", loss: 1.25 },
  ...{ validationLoss: 1.5, bestLoss: 1.5, bestStep: 1_000, droppedSteps: 0, totalSteps: 1_000 },
  ...{ replan: [], counting: { order: 5, loss: 1.8 }, characters: 10_000 },
  ...{ validationCharacters: 1_000, path: "checkpoints/night/best.safetensors", seconds: 101 },
  ...facts,
});

/** The lines on standard error. */
async function shown(
  events: readonly TrainingEvent[],
  options: Parameters<typeof humanReporter>[1]["options"] = {},
): Promise<string[]> {
  const lines: string[] = [];
  const terminal = {
    errorColors: new Chalk({ level: 0 }),
    isInteractive: false,
    marks: UNICODE_MARKS,
    stderr: { isTTY: false, columns: undefined },
    say: (...pieces: Parameters<Terminal["say"]>) => lines.push(shownLine(pieces)),
    out: async () => {},
  } as unknown as Terminal;
  const reporter = humanReporter(terminal, { files: ["no-such.txt"], options });
  for (const event of events) await reporter.report(event);
  return lines;
}

test("A run begins with five lines: text, model, length, folder, and how to stop it", async () => {
  assert.deepEqual(await shown([START]), [
    "  text    no-such.txt: 10,000 characters, 50 different; last 10% held out",
    "  model   GRU 1x128 (preset tiny), 1,234 parameters",
    "  run     1,000 steps, 10 epochs; about 1 min 5 s, 50 MB of memory, 2 threads",
    "  folder  checkpoints/night",
    "  stop    Ctrl-C saves and stops; --resume continues",
    "",
  ]);
});

test("Evaluations are rows of one table, the lowest loss marked", async () => {
  const lines = await shown([
    START,
    evaluation(100, 2),
    evaluation(1_200, 1.5),
    evaluation(1_300, 1.6, false),
    evaluation(1_400, 1.7, false),
  ]);
  assert.deepEqual(lines.slice(6), [
    "epoch     step  training  held out",
    "    1      100     1.250     2.000  best",
    "   12    1,200     1.250     1.500  best",
    "   13    1,300     1.250     1.600",
    "   14    1,400     1.250     1.700  no lower for 2",
  ]);
});

test("Of hundreds of evaluations some are shown, the last one among them", async () => {
  const all = Array.from({ length: 1_000 }, (_, k) => evaluation(k + 1, 2, false));
  const rows = (await shown([START, ...all], { samples: false })).slice(7);
  assert.ok(rows.length >= 50 && rows.length <= 70, `${rows.length}`);
  assert.match(rows.at(-1) ?? "", /^ +10 +1,000 /);
});

test("A sample is shown when the loss has dropped by a twentieth, and each one that was asked for", async () => {
  const events = [
    START,
    ...[evaluation(1, 2), sample(1, "one\n")],
    ...[evaluation(2, 1.92), sample(2, "two\n")],
    ...[evaluation(3, 1.89), sample(3, "three\n")],
  ];
  const samples = (lines: readonly string[]) => lines.filter((line) => /^ {4}[a-z]/.test(line));
  assert.deepEqual(samples(await shown(events)), ["    one", "    three"]);
  assert.deepEqual(samples(await shown(events, { sampleEvery: 1 })), [
    "    one",
    "    two",
    "    three",
  ]);
});

test("Short documents of a sample stand side by side", async () => {
  const { config } = START;
  const started = { ...START, config: { ...config, text: { ...config.text, documents: "lines" } } };
  const lines = await shown([
    started as StartEvent,
    evaluation(1, 2),
    sample(1, "Anna\nBo\nClementine"),
  ]);
  assert.equal(lines.at(-1), "    Anna   Bo   Clementine");
});

test("A run ends with its losses beside the baseline, in bits per character, and with what can be typed next", async () => {
  const lines = await shown([START, step(1_000), evaluation(1_000, 1.5), end()]);
  assert.deepEqual(
    lines.slice(lines.indexOf("Done: step 1,000 of 1,000, in 1 min 40 s.")),
    [
      "Done: step 1,000 of 1,000, in 1 min 40 s.",
      "",
      "  Bits per character (lower is better):",
      `    held-out part    2.164  ${"█".repeat(20)}░░░░  best, at step 1,000`,
      `    training part    1.803  ${"█".repeat(17)}░░░░░░░`,
      `    5-gram baseline  2.597  ${"█".repeat(24)}`,
      "",
      "Write:         charnn sample night",
      "Look:          charnn report night --open",
      "Train longer:  charnn train no-such.txt --name night --resume --steps 1500",
    ].map((line) => line.replace("charnn", line.includes(":  ") ? START_OF_COMMAND : "charnn")),
  );
});

/** Advice names the program as this one was started. */
const { invocation } = await import("#src/cli/invocation.js");
const START_OF_COMMAND = invocation();

const JUDGEMENTS: [what: string, facts: Partial<EndEvent>, says: RegExp, trainsLonger: boolean][] =
  [
    ["is worse than guessing", { bestLoss: 4, loss: 4 }, /worse than guessing/, false],
    ["knows its text by heart", { bestLoss: 1.5, loss: 0.7 }, /learned its text by heart/, false],
    [
      "got worse again",
      { bestStep: 200, validationLoss: 1.6 },
      /risen since step 200.*--patience/,
      false,
    ],
    ["loses to the baseline", { bestLoss: 1.9, loss: 1.9 }, /no better than/, true],
  ];
for (const [what, facts, says, trainsLonger] of JUDGEMENTS) {
  test(`The end of a run says in a sentence when the model ${what}`, async () => {
    const lines = await shown([START, step(1_000), evaluation(1_000, 1.6), end(facts)]);
    assert.ok(
      lines.some((line) => says.test(line)),
      lines.join("\n"),
    );
    assert.equal(
      lines.some((line) => line.startsWith("Train longer:")),
      trainsLonger,
    );
  });
}

test("The lines of progress are shorter than the terminal is wide, with the most important first", () => {
  const run = new FollowedRun();
  run.start(START);
  assert.deepEqual(progressLines(run, 80, UNICODE_MARKS).lines, [
    `${"░".repeat(20)} 0%  step 0 of 1,000`,
    "",
  ]);
  run.latest = step(500);
  run.evaluate(evaluation(400, 2));
  run.evaluate(evaluation(500, 1.75));
  assert.deepEqual(progressLines(run, 80, UNICODE_MARKS), {
    fraction: 0.5,
    lines: [
      `${"█".repeat(10)}${"░".repeat(10)} 50%  step 500 of 1,000, epoch 5 of 10, 50 s left`,
      "loss: training 1.500, held out 1.750 █▁ (best), 9,856 chars/s",
    ],
  });
  assert.deepEqual(progressLines(run, 40, UNICODE_MARKS).lines, [
    "███░░░ 50%  50 s left, training 1.500",
  ]);
  for (let width = 1; width < 200; width++) {
    for (const line of progressLines(run, width, UNICODE_MARKS).lines) {
      assert.ok(line.length < width, `${width}: ${line}`);
    }
  }
});
