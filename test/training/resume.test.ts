/** A run that was interrupted and resumed must end with the bytes of one that was not. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { TRAIN_DEFAULTS } from "#src/config/train.js";
import { loadCheckpoint, type TrainingEvent, type TrainSettings, train } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { caseSeed, Draw } from "../helpers/numbers.js";
import { slow } from "../helpers/slow.js";
import {
  afterStep,
  commandFor,
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";
import { afterTurns } from "../helpers/turns.js";

const EXECUTABLE = fileURLToPath(new URL("../../bin/charnn.js", import.meta.url));
const CHECKPOINTS = ["last.safetensors", "best.safetensors"];

/** Runs whose steps, evaluations, savings and epochs do not fall together. */
const CASES: readonly { title: string; settings: Partial<TrainSettings> }[] = [
  {
    title: "GRU, 2 layers with dropout, lanes, adam, cosine with warm-up",
    settings: {
      cell: "gru",
      layers: 2,
      dropout: 0.3,
      recurrentDropout: 0.1,
      schedule: "cosine",
      warmupSteps: 5,
    },
  },
  {
    title: "LSTM, embedding, windows, rmsprop, exponential with warm-up",
    settings: {
      cell: "lstm",
      embeddingSize: 5,
      dropout: 0.2,
      inputDropout: 0.1,
      clipValue: 0.1,
      averageDecay: 0,
      batching: "windows",
      stride: 9,
      optimizer: "rmsprop",
      learningRate: 2e-3,
      schedule: "exponential",
      warmupSteps: 3,
    },
  },
  {
    title: "tanh RNN, 2 layers, lines, sgd with weight decay, constant with warm-up",
    settings: {
      cell: "rnn",
      layers: 2,
      documents: "lines",
      optimizer: "sgd",
      learningRate: 0.1,
      weightDecay: 1e-3,
      weightDropout: 0.2,
      schedule: "constant",
      warmupSteps: 4,
    },
  },
  {
    title: "GRU, two workers, sections of lanes",
    settings: {
      cell: "gru",
      workers: 2,
      sectionWindows: 3,
      batchSize: 2,
      seqLength: 5,
      dropout: 0.2,
    },
  },
  {
    title: "GRU, three batches a step, linear",
    settings: { cell: "gru", accumulate: 3, schedule: "linear", batchSize: 2, seqLength: 7 },
  },
  {
    title: "LSTM, three workers, windows with an uneven last batch, dropout",
    settings: {
      ...{ cell: "lstm", workers: 3, batching: "windows", batchSize: 2, seqLength: 4 },
      ...{ dropout: 0.2, inputDropout: 0.1, recurrentDropout: 0.1 },
    },
  },
  {
    title: "GRU, two members, a temperature that is fitted, n-grams",
    settings: { cell: "gru", members: 2, ngramOrder: 3, calibrationCharacters: 20 },
  },
  {
    title: "LSTM, a temperature that is fitted, no average",
    settings: { cell: "lstm", calibrationCharacters: 15, averageDecay: 0 },
  },
  {
    title: "GRU, two workers, two batches a step",
    settings: { cell: "gru", workers: 2, accumulate: 2, batchSize: 2, seqLength: 3 },
  },
  {
    title: "GRU, a rate that falls on plateaus",
    settings: { cell: "gru", schedule: "plateau", learningRate: 0.05 },
  },
  {
    title: "LSTM, 2 layers, lanes, adam with weight decay, a test part and steps to keep",
    settings: { cell: "lstm", layers: 2, test: 0.1, weightDecay: 0.01, keep: 2, clipNorm: 0.5 },
  },
];
const PACE = { steps: 47, evalEvery: 7, saveEvery: 4 };

for (const { title, settings } of CASES) {
  slow(
    `A resumed run (${title}) ends with the bytes of an unbroken one, wherever it was interrupted`,
    async (t) => {
      const place = await workplace(t);
      const run = (name: string) => ({ ...smallRun(place, settings), ...PACE, name });
      const events = await trained(run("unbroken"));
      const ofFirstEpoch = only(events, "step").filter(({ epoch }) => epoch === 1);
      const epochEnd = ofFirstEpoch.length;
      assert.ok(epochEnd > 1 && epochEnd < PACE.steps, `an epoch ends at step ${epochEnd}`);

      const interruptions = {
        "mid-epoch": [epochEnd - 2],
        "epoch-end": [epochEnd],
        several: [1, 2, 4, 14, epochEnd, epochEnd + 1, 36, PACE.steps - 1, PACE.steps],
      };
      for (const [name, steps] of Object.entries(interruptions)) {
        for (const step of steps) {
          const resumed = await trained({ ...run(name), resume: true }, afterStep(step));
          assert.equal(endOf(resumed).reason, "interrupted");
          assert.equal(endOf(resumed).step, step);
        }
        assert.equal(endOf(await trained({ ...run(name), resume: true })).reason, "steps");
        await assertSameRun(place, name, "unbroken");
      }
    },
  );
}

test("A resumed run ends with the bytes of an unbroken one when it was interrupted by an evaluation", async (t) => {
  const place = await workplace(t);
  const [validationFile] = await textFiles(place, inventedText(5_000, 8));
  const run = (name: string) => smallRun(place, { validationFile, ...PACE, name });
  await trained(run("unbroken"));
  for (const at of [14, PACE.steps]) {
    const controller = new AbortController();
    const stopSoonAfter = (event: TrainingEvent) => {
      // The evaluation takes a turn of the event loop for each of its twenty batches.
      if (afterStep(at)(event)) afterTurns(6, () => controller.abort());
      return false;
    };
    const events = await trained({ ...run(`stopped-${at}`), resume: true }, stopSoonAfter, {
      signal: controller.signal,
    });
    assert.deepEqual([endOf(events).reason, endOf(events).step], ["interrupted", at]);
    assert.ok(only(events, "eval").every(({ step }) => step < at));
    const [first, ...rest] = await trained({ ...run(`stopped-${at}`), resume: true });
    assert.equal(first.event, "start");
    assert.equal(rest[0].event, "eval");
    await assertSameRun(place, `stopped-${at}`, "unbroken");
  }
});

slow(
  "A resumed run ends with the bytes of an unbroken one after epochs of lines too long for a window",
  async (t) => {
    const place = await workplace(
      t,
      inventedText(900)
        .replaceAll("\n", " ")
        .replace(/(.{29}) /g, "$1\n"),
    );
    const run = (name: string) =>
      smallRun(place, { documents: "lines", cell: "lstm", epochs: 2, saveEvery: 5, name });
    const { step: steps } = endOf(await trained(run("unbroken")));
    for (let step = 2; step < steps; step += 3) {
      await trained({ ...run("stopped"), resume: true }, afterStep(step));
    }
    assert.equal(endOf(await trained({ ...run("stopped"), resume: true })).reason, "epochs");
    await assertSameRun(place, "stopped", "unbroken");
  },
);

test("A resumed run goes on from the last saving when its consumer leaves it", async (t) => {
  const place = await workplace(t);
  const run = (name: string) => smallRun(place, { ...PACE, name });
  await trained(run("unbroken"));
  await assert.rejects(
    trained(run("left"), (event) => {
      if (afterStep(10)(event)) throw new Error("enough");
      return false;
    }),
    /enough/,
  );
  const [start] = only(await trained({ ...run("left"), resume: true }), "start");
  assert.equal(start.step, 8);
  await assertSameRun(place, "left", "unbroken");
});

slow(
  "A resumed run ends with the bytes of an unbroken one after being killed again and again",
  async (t) => {
    const seed = caseSeed();
    t.diagnostic(`CHARNN_TEST_SEED=${seed}`);
    const draw = new Draw(seed);
    const place = await workplace(t);
    const settings = smallRun(place, { steps: 300, saveEvery: 3, evalEvery: 10, layers: 2 });
    await trained({ ...settings, name: "unbroken" });
    const args = [...commandFor({ ...settings, name: "killed" }), "--resume", "--json"];
    for (let kill = 0; kill < 3; kill++) {
      const child = spawn(process.execPath, [EXECUTABLE, ...args]);
      const closed = once(child, "close");
      let lines = 12 + draw.below(50);
      for await (const _line of createInterface(child.stdout)) if (lines-- <= 0) break;
      setTimeout(() => child.kill("SIGKILL"), 20 * draw.uniform());
      assert.deepEqual(await closed, [null, "SIGKILL"]);
    }
    const finished = await trained({ ...settings, name: "killed", resume: true });
    assert.ok((only(finished, "start").at(0)?.step ?? 0) > 0, "nothing had been saved");
    await assertSameRun(place, "killed", "unbroken");
    await assertNoLeftovers(place, "killed");
  },
);

test("A resumed run has every report exactly once in its metrics", async (t) => {
  const place = await workplace(t);
  const run = (name: string) => smallRun(place, { ...PACE, name });
  await trained(run("unbroken"));
  for (const step of [2, 7, 8, 23, 40]) {
    const leave = trained({ ...run("left"), resume: true }, (event) => {
      if (afterStep(step)(event)) throw new Error("enough");
      return false;
    });
    await assert.rejects(leave, /enough/);
  }
  await trained({ ...run("left"), resume: true });
  const reports = await reportsOf(place, "left");
  assert.deepEqual(reports, await reportsOf(place, "unbroken"));
  const steps = reports.filter(({ event }) => event === "step").map(({ step }) => step);
  assert.deepEqual(
    steps,
    Array.from({ length: PACE.steps }, (_, index) => index + 1),
  );
});

test("Resuming refuses another text", async (t) => {
  const place = await workplace(t);
  const [other] = await textFiles(place, inventedText(650, 2));
  await trained(smallRun(place, { steps: 2 }));
  const resume = trained(smallRun({ ...place, text: other }, { resume: true, steps: 4 }));
  await assert.rejects(resume, failsWith("CANNOT_RESUME", "run", "another text", "700", "650"));
});

test("Resuming refuses what would change the run, naming both values", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 2 }));
  const before = await bytesOf(place, "run");
  const others: [setting: keyof TrainSettings, value: string | number, was: string | number][] = [
    ["hiddenSize", 9, 8],
    ["layers", 2, 1],
    ["cell", "lstm", "gru"],
    ["embeddingSize", 3, 32],
    ["dropout", 0.5, 0],
    ["batchSize", 5, 4],
    ["seqLength", 9, 8],
    ["batching", "windows", "lanes"],
    ["optimizer", "sgd", TRAIN_DEFAULTS.optimizer],
    ["learningRate", 0.001, 0.005],
    ["schedule", "constant", TRAIN_DEFAULTS.schedule],
    ["warmupSteps", 2, 0],
    ["clipNorm", 2, TRAIN_DEFAULTS.clipNorm],
    ["weightDecay", 0.1, 0],
    ["preset", "small", "tiny"],
    ["validation", 0.2, 0.1],
    ["randomSeed", 1, 0],
  ];
  for (const [setting, value, was] of others) {
    const resume = trained(smallRun(place, { steps: 4, resume: true, [setting]: value }));
    const says = new RegExp(`^${setting} is ${was} in the run run, not ${value}\\.`);
    await assert.rejects(resume, failsWith("CANNOT_RESUME", says));
  }
  assert.deepEqual(await bytesOf(place, "run"), before);
});

test("Resuming refuses --documents lines where the run had none", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 2 }));
  await assert.rejects(
    trained(smallRun(place, { steps: 4, resume: true, documents: "lines" })),
    failsWith("CANNOT_RESUME", "documents is not set in the run run, not lines."),
  );
});

test("Resuming continues a finished run as if the higher limit had been there from the beginning", async (t) => {
  const place = await workplace(t);
  // Of the schedules only the constant one does not look at the end.
  const run = { schedule: "constant", ...PACE } as const;
  await trained(smallRun(place, { ...run, name: "long", evalEvery: 10 }));
  await trained(smallRun(place, { ...run, name: "short", evalEvery: 10, steps: 20 }));
  const events = await trained(
    smallRun(place, { ...run, name: "short", evalEvery: 10, resume: true }),
  );
  assert.equal(only(events, "start")[0].step, 20);
  assert.equal(endOf(events).step, PACE.steps);
  await assertSameRun(place, "short", "long");
});

test("Resuming takes limits of another kind than the run had", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 3 }));
  const events = await trained(smallRun(place, { epochs: 1, resume: true }));
  const [start] = only(events, "start");
  assert.deepEqual([start.step, start.totalSteps], [3, start.stepsPerEpoch]);
  assert.deepEqual(start.config.limits, { epochs: 1 });
  assert.equal(endOf(events).reason, "epochs");
});

test("Resuming keeps the settings of the run when none are given", async (t) => {
  const place = await workplace(t);
  const settings = { ...CASES[1].settings, ...PACE };
  await trained(smallRun(place, { ...settings, name: "unbroken" }));
  await trained(smallRun(place, { ...settings }), afterStep(20));
  const { text, out } = place;
  await trained({ files: [text], out, name: "run", backend: "wasm", resume: true });
  await assertSameRun(place, "run", "unbroken");
});

test("Resuming a finished run says that it is done and changes no byte", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 12, evalEvery: 5 });
  const { bestLoss, bestStep, path: checkpoint } = endOf(await trained(settings));
  const before = await bytesOf(place, "run");
  for (const steps of [12, 12, 5]) {
    const events = await trained({ ...settings, steps, resume: true });
    assert.equal(events.length, 1);
    const end = endOf(events);
    assert.deepEqual(
      [end.reason, end.step, end.bestLoss, end.bestStep, end.path],
      ["done", 12, bestLoss, bestStep, checkpoint],
    );
  }
  assert.deepEqual(await bytesOf(place, "run"), before);
});

test("A run that is past its new limit keeps that limit, and does not go on when it is resumed again", async (t) => {
  const place = await workplace(t);
  const settings = { steps: 20, evalEvery: 5 };
  await trained(smallRun(place, settings), (event) => event.event === "eval" && event.step === 10);
  const { steps, ...others } = smallRun(place, settings);
  for (const limit of [{ steps: 5 }, {}]) {
    const events = await trained({ ...others, ...limit, resume: true });
    const end = endOf(events);
    assert.deepEqual([end.reason, end.reached, end.step], ["done", "steps", 10]);
  }
  const last = path.join(place.out, "run", "last.safetensors");
  const { config } = await loadCheckpoint(last, place);
  assert.equal(config.limits.steps, 5);
  const end = endOf(await trained({ ...others, steps: 12, resume: true }));
  assert.equal(end.step, 12);
});

test("Resuming a run that ended by its time limit with the same settings says that it is done", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { maxTime: 0.05 });
  await trained(settings);
  const before = await bytesOf(place, "run");
  const events = await trained({ ...settings, resume: true });
  assert.equal(endOf(events).reason, "done");
  assert.deepEqual(await bytesOf(place, "run"), before);
});

test("Resuming ends at once, evaluated, when the new limit is behind it", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 20 }), afterStep(9));
  const events = await trained(smallRun(place, { steps: 5, resume: true }));
  const [start] = only(events, "start");
  assert.ok((start.expectedSeconds ?? -1) >= 0, `${start.expectedSeconds} s`);
  assert.equal(only(events, "step").length, 0);
  assert.equal(only(events, "eval")[0].step, 9);
  assert.equal(endOf(events).reason, "steps");
});

test("Resuming starts from the beginning, with a warning, where there is no checkpoint yet", async (t) => {
  const place = await workplace(t);
  const [warning, start] = await trained(smallRun(place, { steps: 2, resume: true }));
  assert.ok(warning.event === "warning" && start.event === "start");
  assert.match(warning.message, /no checkpoint to resume.*from the beginning/);
  assert.equal(start.step, 0);
  await trained(smallRun(place, { steps: 2, name: "plain" }));
  await assertSameRun(place, "run", "plain");
});

test("Resuming continues a run that was killed right after its first best checkpoint", async (t) => {
  const place = await workplace(t);
  const settings = { steps: 6, evalEvery: 3 };
  for await (const event of train(smallRun(place, settings))) {
    if (event.event === "checkpoint" && event.kind === "best") break;
  }
  const [start] = only(await trained(smallRun(place, { ...settings, resume: true })), "start");
  assert.equal(start.step, 3);
  await trained(smallRun(place, { ...settings, name: "plain" }));
  await assertSameRun(place, "run", "plain");
});

test("Resuming starts with clean metrics where a run was killed before its first checkpoint", async (t) => {
  const place = await workplace(t);
  await mkdir(path.join(place.out, "run"), { recursive: true });
  await writeFile(path.join(place.out, "run", "metrics.jsonl"), '{"event":"step","step":1}\n');
  await trained(smallRun(place, { steps: 2, resume: true }));
  const reports = await reportsOf(place, "run");
  assert.deepEqual(
    reports.map(({ event, step }) => [event, step]),
    [
      ["step", 1],
      ["step", 2],
      ["eval", 2],
      ["sample", 2],
    ],
  );
});

test("Resuming without a name finds the newest run on the same text", async (t) => {
  const place = await workplace(t);
  const [other] = await textFiles(place, inventedText(650, 2));
  await trained(smallRun(place, { steps: 2, name: "older" }));
  await trained(smallRun(place, { steps: 2, name: "newer" }));
  await trained(smallRun({ ...place, text: other }, { steps: 2, name: "other-text" }));
  const events = await trained(smallRun(place, { steps: 4, name: undefined, resume: true }));
  const [start] = only(events, "start");
  assert.deepEqual([start.name, start.step], ["newer", 2]);
});

test("Resuming without a name starts a new run when every run learned from another text", async (t) => {
  const place = await workplace(t);
  const [other] = await textFiles(place, inventedText(650, 2));
  await trained(smallRun({ ...place, text: other }, { steps: 2, name: "other-text" }));
  const events = await trained(smallRun(place, { steps: 2, name: undefined, resume: true }));
  const [start] = only(events, "start");
  assert.deepEqual([start.name, start.step], ["text-gru-1x8", 0]);
  assert.equal(only(events, "warning").length, 1);
});

test("Resuming with the standard input finds the run by the text, as with a file", async (t) => {
  const place = await workplace(t);
  const text = await readFile(place.text);
  const stdin = async function* () {
    yield text;
  };
  const onStdin = { ...smallRun(place, { ...PACE }), files: ["-"] };
  await trained({ ...onStdin, name: "unbroken" }, undefined, { stdin: stdin() });
  await trained(onStdin, afterStep(9), { stdin: stdin() });
  const unnamed = { ...onStdin, name: undefined, resume: true };
  await trained(unnamed, undefined, { stdin: stdin() });
  await assertSameRun(place, "run", "unbroken");
});

test("Resuming can't be combined with overwriting", async (t) => {
  const place = await workplace(t);
  await assert.rejects(
    trained(smallRun(place, { resume: true, overwrite: true })),
    failsWith("INVALID_SETTING", "resume", "overwrite"),
  );
});

test("Resuming or overwriting must be chosen when the name is taken", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 3, randomSeed: 5 }));
  const before = await bytesOf(place, "run");
  await assert.rejects(
    trained(smallRun(place, { steps: 3 })),
    failsWith("RUN_EXISTS", "run", "`resume`", "`overwrite`"),
  );
  assert.deepEqual(await bytesOf(place, "run"), before);
});

test("Resuming refuses a damaged checkpoint, which overwriting replaces", async (t) => {
  const place = await workplace(t);
  const last = path.join(place.out, "run", "last.safetensors");
  await trained(smallRun(place, { steps: 3 }));
  await writeFile(last, (await readFile(last)).subarray(0, 5_000));
  await assert.rejects(
    trained(smallRun(place, { steps: 3, resume: true })),
    failsWith("BAD_CHECKPOINT", last),
  );
  await assert.rejects(trained(smallRun(place, { steps: 3 })), failsWith("RUN_EXISTS"));
  const events = await trained(smallRun(place, { steps: 3, overwrite: true, keep: 1 }));
  assert.equal(endOf(events).reason, "steps");
  const again = await trained(smallRun(place, { steps: 2, validation: 0, overwrite: true }));
  assert.equal(endOf(again).reason, "steps");
  assert.deepEqual((await readdir(path.dirname(last))).sort(), [
    "last.safetensors",
    "metrics.jsonl",
  ]);
});

/** Writes texts beside the first one. */
function textFiles({ text }: Workplace, ...texts: readonly string[]): Promise<string[]> {
  return Promise.all(
    texts.map(async (content, index) => {
      const file = path.join(path.dirname(text), `other-${index}.txt`);
      await writeFile(file, content);
      return file;
    }),
  );
}

async function assertSameRun(place: Workplace, name: string, expected: string): Promise<void> {
  for (const file of CHECKPOINTS) {
    const bytes = await fileOf(place, name, file);
    const isSame = bytes.equals(await fileOf(place, expected, file));
    assert.ok(isSame, `${file} of ${name} is not that of ${expected}`);
  }
}

async function assertNoLeftovers({ out }: Workplace, name: string): Promise<void> {
  const files = (await readdir(path.join(out, name))).sort();
  assert.deepEqual(files, [...CHECKPOINTS, "metrics.jsonl"].sort());
}

/** Every file of a run with its bytes. */
async function bytesOf(place: Workplace, name: string): Promise<Record<string, string>> {
  const files = (await readdir(path.join(place.out, name))).sort();
  const contents = files.map(async (file) => [
    file,
    (await fileOf(place, name, file)).toString("base64"),
  ]);
  return Object.fromEntries(await Promise.all(contents));
}

/** A run's metrics but for what depends on the clock, and how often it was resumed. */
async function reportsOf(place: Workplace, name: string): Promise<Record<string, unknown>[]> {
  const lines = (await fileOf(place, name, "metrics.jsonl")).toString().trimEnd().split("\n");
  const reports = lines.map((line) => {
    const { seconds, charsPerSecond, ...report } = JSON.parse(line);
    return report;
  });
  return reports.filter(({ event }) => event !== "run");
}
