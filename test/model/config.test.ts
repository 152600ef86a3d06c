import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { parameterCount, parameterShapes } from "#src/config/parameters.js";
import { CharnnError } from "#src/errors.js";

const GRU = {
  cell: "gru",
  layers: 2,
  hiddenSize: 128,
  embeddingSize: 0,
  vocabularySize: 65,
} as const;

test("A model's shape has a one-hot GRU's parameters under PyTorch's names", () => {
  assert.deepEqual(
    [...parameterShapes(modelConfig(GRU))],
    [
      ["rnn.weight_ih_l0", [384, 65]],
      ["rnn.weight_hh_l0", [384, 128]],
      ["rnn.bias_ih_l0", [384]],
      ["rnn.bias_hh_l0", [384]],
      ["rnn.weight_ih_l1", [384, 128]],
      ["rnn.weight_hh_l1", [384, 128]],
      ["rnn.bias_ih_l1", [384]],
      ["rnn.bias_hh_l1", [384]],
      ["decoder.weight", [65, 128]],
      ["decoder.bias", [65]],
    ],
  );
});

test("A model's shape has an LSTM's parameters with an embedding under PyTorch's names", () => {
  const config = modelConfig({ ...GRU, cell: "lstm", layers: 1, embeddingSize: 16 });
  assert.deepEqual(
    [...parameterShapes(config)],
    [
      ["encoder.weight", [65, 16]],
      ["rnn.weight_ih_l0", [512, 16]],
      ["rnn.weight_hh_l0", [512, 128]],
      ["rnn.bias_ih_l0", [512]],
      ["rnn.bias_hh_l0", [512]],
      ["decoder.weight", [65, 128]],
      ["decoder.bias", [65]],
    ],
  );
});

test("A model's shape counts as many parameters as the same modules have in PyTorch", () => {
  // GRU(65, 128, 2) has 173,952, Linear(128, 65) 8,385.
  assert.equal(parameterCount(modelConfig(GRU)), 182_337);
  // Embedding(65, 16) 1,040, LSTM(16, 128, 3) 338,944, Linear 8,385.
  const lstm = modelConfig({ ...GRU, cell: "lstm", layers: 3, embeddingSize: 16 });
  assert.equal(parameterCount(lstm), 348_369);
  // RNN(65, 128, 1) 24,960, Linear 8,385.
  const rnn = modelConfig({ ...GRU, cell: "rnn", layers: 1 });
  assert.equal(parameterCount(rnn), 33_345);
});

test("A model's shape is frozen", () => {
  const config = modelConfig(GRU);
  assert.ok(Object.isFrozen(config));
  assert.deepEqual(config, GRU);
});

test("A model's shape may be as small as one unit and one character", () => {
  const smallest = {
    cell: "rnn",
    layers: 1,
    hiddenSize: 1,
    embeddingSize: 0,
    vocabularySize: 1,
  } as const;
  assert.equal(parameterCount(modelConfig(smallest)), 6);
});

for (const [setting, values] of Object.entries({
  cell: ["GRU", "transformer", "", 3, null],
  layers: [0, -1, 1.5, 65, Number.NaN, Number.POSITIVE_INFINITY, "2"],
  hiddenSize: [0, -4, 0.5, 65_537, Number.NaN, "128", null],
  embeddingSize: [-1, 2.5, 65_537, Number.NaN, "0"],
  vocabularySize: [0, -1, 65_537, 3.5, Number.NaN],
})) {
  test(`A model's shape is refused for a wrong ${setting}, with its name and value`, () => {
    for (const value of values) {
      assert.throws(
        () => modelConfig({ ...GRU, [setting]: value } as never),
        (error) => {
          assert.ok(error instanceof CharnnError);
          assert.equal(error.code, "INVALID_SETTING");
          assert.equal(error.setting, setting);
          assert.ok(error.message.startsWith(`${setting} must be `), error.message);
          const shown = JSON.stringify(value);
          if (Number.isFinite(value)) assert.ok(error.message.endsWith(`${shown}.`));
          return true;
        },
      );
    }
  });
}

test("A model's shape is refused when a value is missing or unknown", () => {
  const { hiddenSize, ...rest } = GRU;
  for (const [values, setting] of [
    [rest, "hiddenSize"],
    [{ ...rest, hiddenSize, heads: 8 }, "heads"],
  ] as const) {
    assert.throws(() => modelConfig(values as never), {
      name: "CharnnError",
      code: "INVALID_SETTING",
      setting,
    });
  }
});
