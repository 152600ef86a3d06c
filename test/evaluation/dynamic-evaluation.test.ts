import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { nothingBefore, tokensBefore } from "#src/data/batch.js";
import { evaluateDynamically } from "#src/evaluation/dynamic-evaluation.js";
import { type EvaluateSettings, loadCheckpoint } from "#src/index.js";
import { parameterArray } from "#src/model/parameters.js";
import { Random } from "#src/random.js";
import { failsWith } from "../helpers/failure.js";
import { initialModel } from "../helpers/models.js";
import { assertClose, Draw } from "../helpers/numbers.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";
import { evaluated } from "../helpers/scoring.js";
import { nothingDropped } from "../helpers/small-training.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

const VOCABULARY = 7;
const CONFIG = modelConfig({
  cell: "lstm",
  layers: 2,
  hiddenSize: 6,
  embeddingSize: 3,
  vocabularySize: VOCABULARY,
});

testOnEveryBackend(
  "weights that follow a text move by the gradient of what was predicted, and back to where they were",
  async (backend) => {
    const draw = new Draw(3);
    const tokens = Uint8Array.from(draw.tokens(46, VOCABULARY));
    const model = initialModel(backend, CONFIG, Random.fromSeed(1));
    const trainedWeights = model.parameters.read().slice();
    const squares = Float32Array.from(trainedWeights, () => 1e-6 + 1e-4 * draw.uniform());
    const before = undisposed();
    const score = await evaluateDynamically(model, tokens, squares);
    assert.equal(undisposed(), before);

    const twin = initialModel(backend, CONFIG, Random.fromSeed(1));
    const follow = () => {
      const gradients = parameterArray(backend, CONFIG);
      const roots = Float64Array.from(squares, Math.sqrt);
      const mean = roots.reduce((sum, root) => sum + root, 0) / roots.length;
      let weights = Float64Array.from(trainedWeights);
      let state = twin.zeroState(1);
      let loss = 0;
      for (const [first, end] of [
        [0, 20],
        [20, 40],
        [40, 45],
      ]) {
        twin.parameters.write(Float32Array.from(weights));
        const [inputs, targets] = [0, 1].map((shift) =>
          Int32Array.from(tokens.subarray(first + shift, end + shift)),
        );
        const startsFresh = first === 0;
        const before = startsFresh ? nothingBefore(1) : tokensBefore(tokens, first);
        const batch = { inputs, targets, before, time: end - first, batch: 1, startsFresh };
        const learned = twin.lossAndGradients(batch, state, gradients, nothingDropped());
        state = learned.state;
        loss += learned.score.loss;
        const values = gradients.read();
        weights = weights.map((weight, i) => {
          const back = (3e-3 * roots[i]) / mean;
          const step = (6e-5 * values[i]) / (roots[i] + 1e-6 * mean);
          return weight + back * (trainedWeights[i] - weight) - step;
        });
      }
      return { loss, weights };
    };
    const expected = follow();
    assert.equal(score?.characters, 45);
    assertClose([score.loss], [expected.loss], 1e-5, "loss");
    assertClose(model.parameters.read(), expected.weights, 1e-5, "weights");
    model.dispose();
    twin.dispose();
  },
);

test("Dynamic evaluation is reported beside the usual loss, and is lower where the text repeats itself", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 60, hiddenSize: 16 }));
  const checkpoint = await loadCheckpoint("run", place);
  const other = await workplace(t, inventedText(60, 7).repeat(20));
  const settings: EvaluateSettings = { files: [other.text], unknown: "skip", backend: "wasm" };
  const plain = await evaluated(checkpoint, settings);
  const both = await evaluated(checkpoint, { ...settings, dynamic: true });
  assert.equal(plain.dynamic, undefined);
  assert.equal(both.loss, plain.loss);
  const { loss = Number.NaN, bitsPerCharacter = 0, perplexity } = both.dynamic ?? {};
  assert.ok(loss < plain.loss - 0.02, `${loss} is not far below ${plain.loss}`);
  assertClose([bitsPerCharacter], [loss / Math.LN2], 1e-12, "bits");
  assert.equal(perplexity, Math.exp(loss));
});

test("Dynamic evaluation is refused for a model of lines, and for one that was not trained by Adam", async (t) => {
  const place = await workplace(t);
  for (const [settings, ...said] of [
    [{ optimizer: "sgd" }, "sgd", "adam"],
    [{ documents: "lines" }, "lines", "`dynamic`"],
  ] as const) {
    await trained(smallRun(place, { ...settings, steps: 2, overwrite: true }));
    const checkpoint = await loadCheckpoint("run", place);
    await assert.rejects(
      evaluated(checkpoint, { files: [place.text], dynamic: true, backend: "wasm" }),
      failsWith("INVALID_SETTING", ...said),
    );
  }
});
