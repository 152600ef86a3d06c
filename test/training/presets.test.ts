import assert from "node:assert/strict";
import { test } from "node:test";
import { PRESET_NAMES } from "#src/config/names.js";
import {
  defaultEpochs,
  dropoutFor,
  ngramRowsFor,
  presetModel,
  presetRecipe,
} from "#src/planning/presets.js";

const VOCABULARY = 65;

test("Without a limit, a long text is read at least once, and a short one a limited number of times", () => {
  assert.equal(defaultEpochs(1e9), 1);
  assert.equal(defaultEpochs(500), 60);
  assert.ok(defaultEpochs(1e6) > 1 && defaultEpochs(1e6) < 60);
});

test("The default embedding size is larger where a text has thousands of different characters", () => {
  const lengths = PRESET_NAMES.map((name) =>
    [65, 5_000].map((size) => presetRecipe(name, size).embeddingSize),
  );
  assert.deepEqual(lengths, [
    [32, 128],
    [32, 128],
    [96, 128],
    [128, 128],
  ]);
});

test("The default dropout is 0 in a short run, and grows with the epochs, but not beyond a limit", () => {
  const model = presetModel("medium", VOCABULARY, 1e6);
  const rates = [0.1, 1, 3, 10, 30, 100, 1e6].map((epochs) =>
    dropoutFor(model, { characters: 1e6, epochs }),
  );
  for (const name of ["dropout", "recurrentDropout", "inputDropout", "ngramDropout"] as const) {
    const values = rates.map((rate) => rate[name] ?? 0);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    );
    assert.equal(values[0], 0, name);
  }
  assert.deepEqual(rates.at(-1), {
    dropout: 0.3,
    recurrentDropout: 0.18,
    inputDropout: 0.12,
    ngramDropout: 0.11,
  });
});

test("The default dropout of n-grams is lower for a longer text", () => {
  const ngramDropout = (characters: number, epochs: number) =>
    dropoutFor(presetModel("small", VOCABULARY, characters), { characters, epochs }).ngramDropout;
  const rates = [1e4, 85e3, 5e5, 1e6, 1e7, 1e8].map((characters) => ngramDropout(characters, 1e3));
  assert.deepEqual(rates, [0.75, 0.75, 0.22, 0.11, 0.01, 0]);
  // Within the first passes it depends on their number alone.
  assert.deepEqual(
    [2, 4, 8].map((epochs) => ngramDropout(85e3, epochs)),
    [2, 4, 8].map((epochs) => ngramDropout(1e4, epochs)),
  );
});

test("The default dropout of n-grams is higher for thousands of different characters, in a long text too", () => {
  const rates = [1, 2.4, 5, 1e3].map(
    (epochs) =>
      dropoutFor(presetModel("small", 4_688, 1.7e6), { characters: 1.7e6, epochs }).ngramDropout,
  );
  assert.deepEqual(rates, [0.19, 0.37, 0.53, 0.75]);
});

test("The default dropout is higher for a larger model, and lower for a longer text", () => {
  const [small, medium] = ["small", "medium"].map((name) =>
    presetModel(name as "small", VOCABULARY, 1e6),
  );
  const dropout = (model: typeof small, characters: number) =>
    dropoutFor(model, { characters, epochs: 10 }).dropout;
  assert.ok(dropout(medium, 1e6) > dropout(small, 1e6));
  assert.ok(dropout(medium, 1e7) < dropout(medium, 1e6));
});

test("The default dropout is lower for several models, each of which has learned something else by heart", () => {
  const model = presetModel("small", VOCABULARY, 1e6);
  const rates = [1, 2, 5].map(
    (members) => dropoutFor(model, { characters: 1e6, epochs: 50, members }).dropout,
  );
  assert.ok(rates[0] > rates[1] && rates[1] === rates[2], `${rates}`);
});

test("Tables of n-grams have more rows for a longer text, up to a limit", () => {
  const rows = [1, 1e4, 1e5, 5e5, 1e6, 1e8].map(ngramRowsFor);
  assert.deepEqual(rows, [1_024, 1_024, 8_192, 32_768, 65_536, 65_536]);
});
