import assert from "node:assert/strict";
import { readdir, readFile, truncate } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { type TrainSettings, train } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { assertClose } from "../helpers/numbers.js";
import { slow } from "../helpers/slow.js";
import {
  afterStep,
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  tensorsOf,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

test("Training ends with the same weights, no matter what is evaluated, sampled, saved and kept on the way", async (t) => {
  const place = await workplace(t);
  const paces: Partial<TrainSettings>[] = [
    {},
    { evalEvery: 1 },
    { evalEvery: 7, saveEvery: 2, keep: 3 },
    { saveEvery: 1 },
  ];
  for (const [index, pace] of paces.entries()) {
    const settings = { cell: "lstm", dropout: 0.2, steps: 25, ...pace } as const;
    await trained(smallRun(place, { ...settings, name: `pace-${index}` }));
    assert.deepEqual(await tensorsOf(place, `pace-${index}`), await tensorsOf(place, "pace-0"));
  }
});

test("Training gives the same bytes for the same random seed, and others for another", async (t) => {
  const place = await workplace(t);
  for (const [name, randomSeed] of Object.entries({ one: 7, same: 7, other: 8 })) {
    await trained(smallRun(place, { steps: 6, dropout: 0.1, name, randomSeed }));
  }
  const [one, same] = await Promise.all(
    ["one", "same"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(one.equals(same));
  const weights = async (name: string) => (await tensorsOf(place, name)).get("decoder.weight");
  assert.notDeepEqual(await weights("other"), await weights("one"));
});

for (const cell of CELL_NAMES) {
  test(`Training teaches a ${cell} a pattern that repeats`, async (t) => {
    await assertLearns(t, { cell });
  });
}

for (const [optimizer, learningRate] of [
  ["sgd", 0.5],
  ["rmsprop", 0.01],
] as const) {
  test(`Training by ${optimizer} teaches a pattern that repeats`, async (t) => {
    await assertLearns(t, { optimizer, learningRate });
  });
}

slow("Training in windows, and line by line, teaches a pattern that repeats", async (t) => {
  await assertLearns(t, { batching: "windows", stride: 5, seqLength: 15 });
  await assertLearns(t, { documents: "lines" });
});

test("Training with weight decay ends with smaller weights", async (t) => {
  const place = await workplace(t);
  const sizeOfWeights = async (weightDecay: number) => {
    const name = `decay-${weightDecay}`;
    await trained(smallRun(place, { steps: 30, weightDecay, name }));
    const weights = (await tensorsOf(place, name)).get("decoder.weight") as Float32Array;
    return weights.reduce((sum, weight) => sum + weight * weight, 0);
  };
  const [none, strong] = [await sizeOfWeights(0), await sizeOfWeights(2)];
  assert.ok(strong < 0.9 * none, `${strong} is not far below ${none}`);
});

test("Training leaves no tensors behind, however it ends", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { cell: "lstm", steps: 6, saveEvery: 2 });
  await trained({ ...settings, name: "first" });
  const before = undisposed();
  const left = trained(settings, (event) => {
    if (afterStep(3)(event)) throw new Error("enough");
    return false;
  });
  await assert.rejects(left, /enough/);
  assert.equal(undisposed(), before, "left");
  await trained({ ...settings, resume: true }, afterStep(5));
  assert.equal(undisposed(), before, "interrupted");
  await trained({ ...settings, resume: true });
  assert.equal(undisposed(), before, "finished");
  assert.equal(endOf(await trained({ ...settings, resume: true })).reason, "done");
  assert.equal(undisposed(), before, "done");
  await assert.rejects(trained(smallRun(place, { learningRate: 1e39, name: "other" })));
  assert.equal(undisposed(), before, "diverged");
});

test("The events of a run come in order: start, steps, and at each evaluation its score, sample and checkpoints", async (t) => {
  const place = await workplace(t);
  const events = await trained(smallRun(place, { steps: 12, evalEvery: 5, saveEvery: 4 }));
  const kinds = events.map((event) => {
    if (event.event === "checkpoint") return `${event.kind} ${event.step}`;
    return event.event === "step" || event.event === "eval"
      ? `${event.event} ${event.step}`
      : event.event;
  });
  const evaluation = (step: number, isBest: boolean) => [
    `eval ${step}`,
    "sample",
    ...(isBest ? [`best ${step}`] : []),
    `last ${step}`,
  ];
  const best = only(events, "eval").map((event) => event.best);
  const steps = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => `step ${first + index}`);
  assert.deepEqual(kinds, [
    "start",
    ...steps(1, 4),
    "last 4",
    "step 5",
    ...evaluation(5, best[0]),
    ...steps(6, 8),
    "last 8",
    ...steps(9, 10),
    ...evaluation(10, best[1]),
    ...steps(11, 12),
    ...evaluation(12, best[2]),
    "end",
  ]);
  assert.equal(best[0], true);
});

test("The events of a run describe the run, its progress and its losses", async (t) => {
  const place = await workplace(t);
  const shape = { epochs: 2, cell: "rnn", warmupSteps: 3, embeddingSize: 0 } as const;
  // Once for each epoch.
  const settings = smallRun(place, { ...shape, threads: 3, evalEvery: 20 });
  const events = await trained(settings);
  const [start] = only(events, "start");
  const folder = path.join(place.out, "run");
  assert.deepEqual(
    [start.name, start.path, start.step, start.backend],
    ["run", folder, 0, { name: "wasm", threads: 3, passedOver: [] }],
  );
  const { vocabularySize: characters } = start;
  assert.equal(start.parameters, 8 * characters + 8 * 8 + 2 * 8 + 8 * characters + characters);
  assert.equal(start.totalSteps, 2 * start.stepsPerEpoch);
  assert.ok(start.expectedBytes > 0 && (start.expectedSeconds ?? 0) > 0);

  const steps = only(events, "step");
  for (const [index, step] of steps.entries()) {
    assert.deepEqual([step.step, step.epoch], [index + 1, index < start.stepsPerEpoch ? 1 : 2]);
    assert.ok(step.loss > 0 && step.gradientNorm > 0 && step.charsPerSecond > 0);
    assert.ok(step.seconds >= (steps[index - 1]?.seconds ?? 0));
  }
  const rates = steps.map(({ learningRate }) => learningRate);
  assert.equal(Math.max(...rates), rates[3], "the rate is highest after the warm-up");

  const [first, second] = only(events, "eval");
  assert.deepEqual([first.epoch, second.epoch], [1, 2]);
  for (const [epoch, evaluation] of [first, second].entries()) {
    const firstStep = epoch * start.stepsPerEpoch;
    const losses = steps.slice(firstStep, firstStep + start.stepsPerEpoch).map(({ loss }) => loss);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    // The last window of an epoch is shorter than the others.
    assertClose([evaluation.loss ?? 0], [mean], 0.02, `the training loss of epoch ${epoch + 1}`);
  }
  const { validationLoss = Number.NaN, bitsPerCharacter = Number.NaN } = second;
  assertClose([bitsPerCharacter], [validationLoss / Math.LN2], 1e-12, "bits");
  assert.equal(second.learningRate, rates.at(-1));

  const [sample] = only(events, "sample");
  assert.equal([...sample.text].length, 200);

  const losses = [first.validationLoss, second.validationLoss] as number[];
  const end = endOf(events);
  const best = Math.min(...losses);
  assert.deepEqual(
    [end.reason, end.step, end.epoch, end.loss, end.validationLoss, end.bestLoss, end.path],
    [
      "epochs",
      steps.length,
      2,
      second.loss,
      losses[1],
      best,
      path.join(folder, "best.safetensors"),
    ],
  );
  assert.equal(end.bestStep, start.stepsPerEpoch * (1 + losses.indexOf(best)));
});

test("The events of a run name a run after its text and model, with a number where that is taken", async (t) => {
  const place = await workplace(t);
  const names = [];
  for (let run = 0; run < 3; run++) {
    const events = await trained(smallRun(place, { name: undefined, steps: 1 }));
    names.push(only(events, "start")[0].name);
  }
  assert.deepEqual(names, ["text-gru-1x8", "text-gru-1x8-2", "text-gru-1x8-3"]);
});

test("The events of a run begin with warnings about the text", async (t) => {
  const place = await workplace(t, inventedText(700).replaceAll("\n", "\r\n"));
  const [warning, start] = await trained(smallRun(place, { steps: 1 }));
  assert.ok(warning.event === "warning" && warning.message.includes("U+000D"));
  assert.equal(start.event, "start");
});

slow("A run ends by the first limit reached, with an evaluation and a checkpoint", async (t) => {
  const place = await workplace(t);
  const limits: [limits: Partial<TrainSettings>, reason: string, steps: number][] = [
    [{ steps: 3 }, "steps", 3],
    [{ epochs: 1 }, "epochs", 20],
    [{ epochs: 3, steps: 30 }, "steps", 30],
    [{ epochs: 1, steps: 30 }, "epochs", 20],
    [{ epochs: 1, maxTime: 1_000 }, "epochs", 20],
    [{ maxTime: 1_000 }, "epochs", 100 * 20],
  ];
  for (const [limit, reason, steps] of limits) {
    const events = await trained(smallRun(place, { ...limit, overwrite: true }));
    const end = endOf(events);
    assert.deepEqual([end.reason, end.step], [reason, steps]);
    assert.equal(only(events, "eval").at(-1)?.step, steps);
    const { progress } = await readCheckpoint(path.join(place.out, "run", "last.safetensors"));
    assert.deepEqual([progress.step, progress.totalSteps], [steps, steps]);
  }
});

test("A run without a validation part has no best checkpoint, and is represented by the last", async (t) => {
  const place = await workplace(t);
  const events = await trained(smallRun(place, { steps: 3, validation: 0 }));
  const [evaluation] = only(events, "eval");
  assert.deepEqual(
    [evaluation.validationLoss, evaluation.bitsPerCharacter, evaluation.best],
    [undefined, undefined, false],
  );
  const end = endOf(events);
  assert.deepEqual(
    [end.bestLoss, end.bestStep, path.basename(end.path)],
    [undefined, undefined, "last.safetensors"],
  );
  assert.deepEqual(await filesOf(place), ["last.safetensors", "metrics.jsonl"]);
});

test("A run keeps the given number of checkpoints of evaluated steps, the newest ones", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 14, evalEvery: 3, keep: 2 }));
  const kept = (await filesOf(place)).filter((file) => file.startsWith("step-"));
  assert.deepEqual(kept, ["step-12.safetensors", "step-14.safetensors"]);
  const last = await fileOf(place, "run", "last.safetensors");
  assert.ok(last.equals(await fileOf(place, "run", "step-14.safetensors")));
});

test("A best checkpoint outlasts damage to the last one, whose bytes are the same", async (t) => {
  const place = await workplace(t);
  const { bestStep, step, path: best } = endOf(await trained(smallRun(place, { steps: 8 })));
  assert.equal(bestStep, step, "the last evaluation is not the best");
  const last = path.join(path.dirname(best), "last.safetensors");
  assert.ok((await readFile(last)).equals(await readFile(best)));
  await truncate(last, 100);
  assert.equal((await readCheckpoint(best)).progress.step, step);
});

test("A run has the best checkpoint of all, not that of the last evaluation", async (t) => {
  // What is learned of the first characters is of no use for the last.
  const place = await workplace(t, `${"ab".repeat(300)}${"ba".repeat(2)}${"b".repeat(60)}`);
  const events = await trained(smallRun(place, { steps: 40, evalEvery: 2, learningRate: 0.03 }));
  const losses = only(events, "eval").map(({ validationLoss = Number.NaN }) => validationLoss);
  const { bestLoss, bestStep = 0, path: best } = endOf(events);
  assert.equal(bestLoss, Math.min(...losses));
  assert.ok(bestStep < 40, "the last evaluation is the best");
  assert.equal((await readCheckpoint(best)).progress.step, bestStep);
});

test("A run is trained by one process at a time, and free when its consumer has left", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 20, saveEvery: 2 });
  for await (const event of train(settings)) {
    if (!afterStep(5)(event)) continue;
    for (const way of ["resume", "overwrite"]) {
      await assert.rejects(
        trained({ ...settings, [way]: true }),
        failsWith("RUN_EXISTS", "run", `process ${process.pid}`),
      );
    }
    break;
  }
  const [start] = only(await trained({ ...settings, resume: true }), "start");
  assert.equal(start.step, 4);
});

test("A run gets a separate name when several without one begin at the same time", async (t) => {
  const { name: _, ...settings } = smallRun(await workplace(t), { steps: 4 });
  const runs = await Promise.all([1, 2, 3, 4].map(() => trained(settings)));
  const names = runs.map((events) => only(events, "start")[0].name).sort();
  const wanted = "text-gru-1x8";
  assert.deepEqual(names, [wanted, `${wanted}-2`, `${wanted}-3`, `${wanted}-4`]);
});

test("A run leaves no folder behind when it could not start", async (t) => {
  const place = await workplace(t);
  await assert.rejects(trained(smallRun(place, { validation: 0.999 })));
  await assert.rejects(trained(smallRun(place, { batchSize: 5_000 })), failsWith("TEXT_TOO_SHORT"));
  await assert.rejects(readdir(place.out), { code: "ENOENT" });
});

const bad: [setting: keyof TrainSettings, ...values: unknown[]][] = [
  ["files", [], "text.txt", undefined],
  ["validation", 1, -0.1, Number.NaN, "0.1"],
  ["test", 1],
  ["documents", "pages"],
  ["cell", "transformer"],
  ["layers", 0, 1.5, 65],
  ["hiddenSize", 0, -1, 1.5, 65_537, Number.NaN, Number.POSITIVE_INFINITY],
  ["embeddingSize", -1, 0.5],
  ["dropout", 1, -0.1],
  ["inputDropout", 1],
  ["recurrentDropout", 1, -1],
  ["weightDropout", 1, Number.NaN],
  ["batching", "pages"],
  ["batchSize", 0],
  ["seqLength", 0],
  ["stride", 0],
  ["epochs", 0, 1.5],
  ["steps", 0],
  ["maxTime", 0, -1, Number.POSITIVE_INFINITY],
  ["optimizer", "magic"],
  ["learningRate", 0, -1, Number.NaN, Number.POSITIVE_INFINITY],
  ["schedule", "magic"],
  ["warmupSteps", -1],
  ["clipNorm", -1, Number.NaN],
  ["clipValue", -1],
  ["accumulate", 0, 1.5],
  ["averageDecay", 1, -0.1],
  ["patience", -1, 0.5],
  ["targetLoss", -1],
  ["weightDecay", -1],
  ["evalEvery", 0],
  ["saveEvery", 0],
  ["keep", -1],
  ["randomSeed", -1, 2 ** 53],
  ["backend", "abacus"],
];
for (const [setting, ...values] of bad) {
  test(`Training refuses a wrong ${setting}, naming it`, async (t) => {
    const place = await workplace(t);
    for (const value of values) {
      const settings = { ...smallRun(place), [setting]: value } as TrainSettings;
      const refused = failsWith("INVALID_SETTING", new RegExp(`^${setting}\\b`));
      await assert.rejects(trained(settings), refused, `${value}`);
    }
    await assert.rejects(readdir(place.out), { code: "ENOENT" });
  });
}

test("Training refuses an unknown setting", async (t) => {
  const settings = { ...smallRun(await workplace(t)), hidenSize: 8 };
  await assert.rejects(trained(settings), failsWith("INVALID_SETTING", "hidenSize"));
});

test("Training refuses a name that no folder can have", async (t) => {
  const place = await workplace(t);
  for (const name of ["", "..", "a/b"]) {
    await assert.rejects(trained(smallRun(place, { name })), failsWith("INVALID_SETTING", "name"));
  }
});

test("Training refuses fractions that leave nothing to train on", async (t) => {
  const settings = smallRun(await workplace(t), { validation: 0.5, test: 0.5 });
  await assert.rejects(trained(settings), failsWith("INVALID_SETTING", "0.5"));
});

test("Training refuses a model that is too large for the machine, before it is made", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { hiddenSize: 65_536, layers: 64 });
  await assert.rejects(trained(settings), failsWith("INVALID_SETTING", "GB", "`hiddenSize: "));
  await assert.rejects(readdir(place.out), { code: "ENOENT" });
});

async function assertLearns(t: TestContext, settings: Partial<TrainSettings>): Promise<void> {
  const place = await workplace(t, "thou art more lovely\n".repeat(30));
  const events = await trained(
    smallRun(place, { hiddenSize: 16, seqLength: 21, epochs: 50, learningRate: 0.02, ...settings }),
  );
  const { validationLoss = Number.NaN } = endOf(events);
  assert.ok(validationLoss < 0.1, `the validation loss is ${validationLoss}`);
}

async function filesOf({ out }: Workplace): Promise<string[]> {
  return (await readdir(path.join(out, "run"))).sort();
}
