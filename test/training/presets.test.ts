import assert from "node:assert/strict";
import { test } from "node:test";
import { PRESET_NAMES } from "#src/config/names.js";
import { operationsPerCharacter } from "#src/model/flops.js";
import {
  choiceForText,
  choiceForTime,
  defaultEpochs,
  dropoutFor,
  ngramRowsFor,
  PRESETS,
  presetModel,
  presetRecipe,
} from "#src/planning/presets.js";
import fc from "../helpers/fast-check.js";

const VOCABULARY = 65;

test("The preset for a time is the largest one that sees enough characters in it", () => {
  const speed = 1e11;
  const property = fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), (seconds) => {
    const { preset } = choiceForTime(seconds, speed, 1e9, VOCABULARY);
    const hasEnough = PRESET_NAMES.map((name) => {
      const operations = operationsPerCharacter(presetModel(name, VOCABULARY, 1e6));
      return (seconds * speed) / operations >= PRESETS[name].fewestCharacters;
    });
    assert.equal(preset, PRESET_NAMES[hasEnough.lastIndexOf(true)]);
  });
  fc.assert(property);
});

test("The preset for a time grows with the time and with the speed", () => {
  const places = [1, 30, 200, 3_000, 1e5].map((seconds) =>
    PRESET_NAMES.indexOf(choiceForTime(seconds, 1e11, 1e9, VOCABULARY).preset),
  );
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.deepEqual([places[0], places.at(-1)], [0, PRESET_NAMES.length - 1]);
  assert.equal(choiceForTime(100, 1e8, 1e9, VOCABULARY).preset, "tiny");
  assert.match(choiceForTime(90, 1e11, 1e6, VOCABULARY).reason, /1,000,000 characters and 90 s/);
});

test("The preset for a time is one that the text is long enough for, no matter how long the time", () => {
  const presets = [1_000, 100_000, 1_000_000, 1e8].map(
    (characters) => choiceForTime(1e6, 1e11, characters, VOCABULARY).preset,
  );
  assert.deepEqual(presets, ["tiny", "small", "medium", "large"]);
});

test("Without a limit, the preset depends on the text and the backend only", () => {
  const presetFor = (...text: Parameters<typeof choiceForText>) => choiceForText(...text).preset;
  assert.equal(presetFor(5_000, "native"), "tiny");
  assert.equal(presetFor(100_000, "native"), "small");
  assert.equal(presetFor(1_000_000, "native"), "medium");
  assert.equal(presetFor(5_000, "wasm"), "tiny");
  assert.equal(presetFor(1_000_000, "wasm"), "small");
});

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
    [64, 128],
    [128, 128],
  ]);
});

test("The default dropout is 0 in a short run, and grows with the epochs, but not beyond a limit", () => {
  const model = presetModel("medium", VOCABULARY, 1e6);
  const rates = [0.1, 1, 3, 10, 30, 100, 1e6].map((epochs) => dropoutFor(model, 1e6, epochs));
  for (const name of ["dropout", "recurrentDropout", "inputDropout", "ngramDropout"] as const) {
    const values = rates.map((rate) => rate[name] ?? 0);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    );
    assert.equal(values[0], 0, name);
  }
  assert.deepEqual(rates.at(-1), {
    dropout: 0.33,
    recurrentDropout: 0.2,
    inputDropout: 0.13,
    ngramDropout: 0.75,
  });
});

test("The default dropout is higher for a larger model, and lower for a longer text", () => {
  const [small, medium] = ["small", "medium"].map((name) =>
    presetModel(name as "small", VOCABULARY, 1e6),
  );
  assert.ok(dropoutFor(medium, 1e6, 10).dropout > dropoutFor(small, 1e6, 10).dropout);
  assert.ok(dropoutFor(medium, 1e7, 10).dropout < dropoutFor(medium, 1e6, 10).dropout);
});

test("Tables of n-grams have more rows for a longer text, up to a limit", () => {
  const rows = [1, 1e4, 1e5, 5e5, 1e6, 1e8].map(ngramRowsFor);
  assert.deepEqual(rows, [1_024, 1_024, 8_192, 32_768, 32_768, 32_768]);
});
