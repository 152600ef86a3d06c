import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { DECODER_NAMES } from "#src/config/parameters.js";
import { evaluationBatches } from "#src/data/evaluation-batches.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { meanLoss } from "#src/evaluation/mean-loss.js";
import { fitTemperature } from "#src/evaluation/temperature.js";
import type { CharRnn } from "#src/model/char-rnn.js";
import { Random } from "#src/random.js";
import { initialModel } from "../helpers/models.js";
import { Draw } from "../helpers/numbers.js";
import { wasmBackend } from "../helpers/wasm.js";

const config = modelConfig({
  cell: "gru",
  layers: 1,
  hiddenSize: 12,
  embeddingSize: 5,
  vocabularySize: 6,
});
const vocabulary = Vocabulary.fromCodePoints([97, 98, 99, 100, 101, 102]);
const batchesOf = (text: Uint8Array) => evaluationBatches(text, undefined, vocabulary);

/** A model whose logits are larger by a factor than those with which the text was written. */
function sureModel(seed: number, factor: number): CharRnn {
  const model = initialModel(wasmBackend(), config, Random.fromSeed(seed));
  for (const name of DECODER_NAMES) {
    const numbers = model.parameters.of(name) as Float32Array;
    for (let k = 0; k < numbers.length; k++) numbers[k] *= 3 * factor;
  }
  return model;
}

/** A text that is written by the mean of models. */
function textOf(models: readonly CharRnn[], length: number): Uint8Array {
  const draw = new Draw(3);
  const sessions = models.map((model) => model.openDecodeSession(1));
  const text = new Uint8Array(length);
  for (let k = 1; k < length; k++) {
    const before = Int32Array.of(text[k - 1]);
    let left = draw.uniform() * models.length;
    const weights = sessions.map((session) => Array.from(session.step(before), Math.exp));
    const sums = weights.map((own) => own.reduce((sum, weight) => sum + weight, 0));
    let token = -1;
    while (left > 0 && token < config.vocabularySize - 1) {
      token++;
      for (const [model, own] of weights.entries()) left -= own[token] / sums[model];
    }
    text[k] = Math.max(token, 0);
  }
  for (const session of sessions) session.dispose();
  return text;
}

/** The loss with logits divided by a temperature, by the models' own scoring. */
async function lossAt(
  models: readonly CharRnn[],
  temperature: number,
  text: Uint8Array,
): Promise<number> {
  const cooled = models.map((model) => {
    const copy = initialModel(model.backend, config, Random.fromSeed(0));
    copy.parameters.write(model.parameters.read());
    for (const name of DECODER_NAMES) {
      const numbers = copy.parameters.of(name) as Float32Array;
      for (let k = 0; k < numbers.length; k++) numbers[k] /= temperature;
    }
    return copy;
  });
  const sum = await meanLoss(cooled, batchesOf(text));
  return (sum?.loss ?? Number.NaN) / (sum?.characters ?? Number.NaN);
}

for (const [what, seeds] of [
  ["one model", [1]],
  ["three models together", [1, 2, 3]],
] as const) {
  test(`The temperature of ${what} is the one with the lowest loss`, async () => {
    const text = textOf(
      seeds.map((seed) => sureModel(seed, 1)),
      4_000,
    );
    for (const factor of [0.9, 1, 1.4]) {
      const models = seeds.map((seed) => sureModel(seed, factor));
      const fitted = (await fitTemperature(models, batchesOf(text))) ?? Number.NaN;
      assert.ok(
        Math.abs(fitted / factor - 1) < 0.1,
        `${fitted} for logits ${factor} times as large`,
      );
      const least = await lossAt(models, fitted, text);
      for (const other of [0.98, 1.02]) {
        const loss = await lossAt(models, other * fitted, text);
        assert.ok(loss > least, `${loss} at ${other} times ${fitted}, and ${least} there`);
      }
    }
  });
}

test("A temperature has bounds", async () => {
  const text = textOf([sureModel(1, 1)], 500);
  assert.equal(await fitTemperature([sureModel(1, 100)], batchesOf(text)), 2);
  assert.equal(await fitTemperature([sureModel(1, 0.1)], batchesOf(text)), 0.8);
});

test("A temperature is 1 where there is nothing to predict, or no finite loss", async () => {
  const model = sureModel(1, 1.4);
  assert.equal(await fitTemperature([model], batchesOf(Uint8Array.of(1))), 1);
  (model.parameters.of("decoder.bias") as Float32Array)[0] = Number.NaN;
  assert.equal(await fitTemperature([model], batchesOf(textOf([sureModel(1, 1)], 100))), 1);
});

test("Fitting a temperature ends when its signal is aborted", async () => {
  const model = sureModel(1, 1.4);
  const text = textOf([model], 100);
  const fitted = await fitTemperature([model], batchesOf(text), { signal: AbortSignal.abort() });
  assert.equal(fitted, undefined);
});
