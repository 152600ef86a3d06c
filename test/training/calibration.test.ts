/** Runs that fit a temperature, by which the logits of their models are divided. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { membersOf } from "#src/checkpoint/members.js";
import { DECODER_NAMES } from "#src/config/parameters.js";
import { CalibrationPieces } from "#src/data/calibration-pieces.js";
import { loadCorpus } from "#src/data/corpus.js";
import { evaluationBatches } from "#src/data/evaluation-batches.js";
import { meanLoss } from "#src/evaluation/mean-loss.js";
import { loadCheckpoint, type TrainSettings } from "#src/index.js";
import { corpusSettings } from "#src/planning/corpus-settings.js";
import { openNetwork } from "#src/sampling/open-network.js";
import { failsWith } from "../helpers/failure.js";
import { slow } from "../helpers/slow.js";
import {
  endOf,
  inventedText,
  only,
  smallRun,
  tensorsOf,
  trained,
  workplace,
} from "../helpers/training.js";

/** Learns a short text by heart. */
const SURE = {
  ...{ steps: 240, evalEvery: 80, ngramOrder: 4, learningRate: 0.02, validation: 0.3 },
  ...{ hiddenSize: 32, averageDecay: 0.9 },
  calibrationCharacters: 100,
} as const;

test("A run that learns its text by heart predicts better with the temperature that it fits", async (t) => {
  const place = await workplace(t, inventedText(1_500));
  const plain = endOf(
    await trained(smallRun(place, { ...SURE, calibrationCharacters: 0, name: "plain" })),
  );
  const events = await trained(smallRun(place, SURE));
  const { temperature = 1 } = only(events, "eval").at(-1) ?? {};
  assert.ok(temperature > 1.05, `${temperature}`);
  const { validationLoss = Number.NaN } = endOf(events);
  assert.ok(validationLoss < (plain.validationLoss ?? 0) - 0.01);
  // What is trained is the same.
  const weights = async (name: string, decoder: string) =>
    (await tensorsOf(place, name)).get(decoder);
  for (const name of DECODER_NAMES) {
    assert.deepEqual(await weights("run", `uncalibrated.${name}`), await weights("plain", name));
  }
  assert.deepEqual(
    await weights("run", "training.encoder.weight"),
    await weights("plain", "training.encoder.weight"),
  );
});

for (const members of [1, 2]) {
  test(`The weights in a checkpoint of ${members} have the loss that was reported, on what no temperature was fitted on`, async (t) => {
    const place = await workplace(t, inventedText(1_500));
    const settings = smallRun(place, { ...SURE, members });
    const { bestLoss = 0 } = endOf(await trained(settings));
    const checkpoint = await loadCheckpoint(`${place.out}/run/best.safetensors`);
    const { validation, vocabulary } = await loadCorpus(corpusSettings(settings));
    const { tokens } = validation;
    const models = await Promise.all(
      membersOf(checkpoint).map((member) =>
        openNetwork(member, { backend: "wasm" }, { time: 256, batch: 1 }),
      ),
    );
    const calibration = new CalibrationPieces(tokens.length, SURE.calibrationCharacters);
    const batches = evaluationBatches(tokens, undefined, vocabulary, { calibration });
    const score = await meanLoss(models, batches);
    assert.ok(Math.abs((score?.loss ?? 0) / (score?.characters ?? 1) - bestLoss) < 1e-6);
    const { temperature = 1 } = checkpoint.progress;
    for (const { tensors } of membersOf(checkpoint)) {
      for (const name of DECODER_NAMES) {
        const [used, before] = [name, `uncalibrated.${name}`].map((it) => tensors.get(it)?.data);
        const expected = before && Float32Array.from(before, (value) => value / temperature);
        assert.deepEqual(used, expected);
      }
    }
  });
}

test("A sample on the way is written with the temperature of the evaluation before, and with 1 before the first", async (t) => {
  const place = await workplace(t, inventedText(1_500));
  const samples = async (settings: Partial<TrainSettings>) => {
    const run = smallRun(place, { ...SURE, sampleEvery: 79, overwrite: true, ...settings });
    return only(await trained(run), "sample").map(({ text }) => text);
  };
  const [first, second] = await samples({});
  const plain = await samples({ calibrationCharacters: 0 });
  assert.equal(first, plain[0]);
  assert.notEqual(second, plain[1]);
});

const long = inventedText(120_000);
for (const [what, settings, text, expected] of [
  ["a temperature on a tenth of the held-out part of a long text", {}, long, 1_200],
  ["no temperature on a short text", {}, inventedText(60_000), undefined],
  ["no temperature where there are no embeddings of n-grams", { ngramOrder: 1 }, long, undefined],
  ["no temperature on separate lines", { documents: "lines" }, long, undefined],
  ["no temperature where calibration is turned off", { calibrationCharacters: 0 }, long, undefined],
  ["no temperature where nothing is held out", { validation: 0 }, long, undefined],
] as const) {
  slow(`A run fits ${what}`, async (t) => {
    const place = await workplace(t, text);
    const { ngramOrder: _, ...open } = smallRun(place, { steps: 1, hiddenSize: 4, batchSize: 2 });
    const settingsOfRun: TrainSettings = { ...open, ...settings };
    const events = await trained(settingsOfRun);
    const [{ config }] = only(events, "start");
    assert.equal(config.training.calibrationCharacters, expected);
    assert.equal(only(events, "eval")[0].temperature !== undefined, expected !== undefined);
  });
}

for (const [title, settings, message, hint] of [
  ["half of what is held out", { calibrationCharacters: 35 }, "70 characters", "34"],
  ["separate texts", { documents: "lines", calibrationCharacters: 9 }, "continuous", "out"],
  ["nothing held out", { validation: 0, calibrationCharacters: 9 }, "nothing is held out", "Leave"],
] as const) {
  test(`A run refuses to fit a temperature on ${title}`, async (t) => {
    const place = await workplace(t);
    const run = trained(smallRun(place, { steps: 1, ...settings }));
    await assert.rejects(run, failsWith("INVALID_SETTING", message, hint));
  });
}

test("A run can't be resumed with a temperature fitted on other characters", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 2, calibrationCharacters: 20 }));
  const other = smallRun(place, { steps: 4, calibrationCharacters: 30, resume: true });
  await assert.rejects(trained(other), failsWith("CANNOT_RESUME", "is 20", "not 30"));
});
