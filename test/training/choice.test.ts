import assert from "node:assert/strict";
import { test } from "node:test";
import { PRESET_NAMES, type PresetName } from "#src/config/names.js";
import { operationsPerCharacter } from "#src/model/flops.js";
import { choiceForText, choiceForTime, RULES, speedsToCompare } from "#src/planning/choice.js";
import { presetModel } from "#src/planning/presets.js";
import fc from "../helpers/fast-check.js";

/** Of a machine on which each preset is three times as slow as the one before. */
const SPEEDS = new Map<PresetName, number>([
  ["tiny", 270_000],
  ["small", 90_000],
  ["medium", 30_000],
  ["large", 10_000],
]);

const operations = (preset: PresetName) =>
  operationsPerCharacter(presetModel(preset, 65, 1_000_000));

/** The presets that are tried, and their speeds. */
async function tried(seconds: number, characters: number, speeds = SPEEDS) {
  const found = await speedsToCompare(seconds, characters, operations, async (preset) =>
    speeds.get(preset),
  );
  return [...found.keys()];
}

test("The preset for a time is the largest one that sees enough characters in it", () => {
  const property = fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), (seconds) => {
    const { preset } = choiceForTime(seconds, SPEEDS, 1e12);
    const hasEnough = PRESET_NAMES.map(
      (name) => seconds * (SPEEDS.get(name) ?? 0) >= RULES[name].fewestCharacters,
    );
    assert.equal(preset, PRESET_NAMES[hasEnough.lastIndexOf(true)]);
  });
  fc.assert(property);
});

test("The preset for a time grows with the time", () => {
  const places = [1, 30, 200, 3_000, 1e5].map((seconds) =>
    PRESET_NAMES.indexOf(choiceForTime(seconds, SPEEDS, 1e12).preset),
  );
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.deepEqual([places[0], places.at(-1)], [0, PRESET_NAMES.length - 1]);
  assert.match(choiceForTime(90, SPEEDS, 1e6).reason, /1,000,000 characters and 90 s/);
});

test("Several models are trained where each can learn from enough characters, five at most", () => {
  const property = fc.property(
    fc.double({ min: 1, max: 1e6, noNaN: true }),
    fc.integer({ min: 10_000, max: 1e8 }),
    (seconds, characters) => {
      const { preset, members = 1 } = choiceForTime(seconds, SPEEDS, characters);
      assert.ok(Number.isInteger(members) && members >= 1 && members <= 5);
      if (members === 1) return;
      const each = (seconds * (SPEEDS.get(preset) ?? 0)) / members;
      const enough = 1e6 + RULES[preset].passesOfMember * characters;
      assert.ok(each >= Math.min(enough, 100 * characters));
    },
  );
  fc.assert(property);
  assert.equal(choiceForTime(1e6, SPEEDS, 1e6).members, 5);
  assert.equal(choiceForTime(20, SPEEDS, 1e6).members, undefined);
});

test("Several models of a smaller preset are chosen rather than a single one of a larger", () => {
  const speeds = new Map([...SPEEDS].slice(1));
  const choices = [30, 100, 140, 420, 1_300, 2_700].map((seconds) => {
    const { preset, members } = choiceForTime(seconds, speeds, 1e6);
    return [preset, members];
  });
  // After 100 s small has 9 M characters; after 140 s 12.6 M, and medium 4.2 M; after 2,700 s medium has 81 M.
  assert.deepEqual(choices, [
    ["small", undefined],
    ["small", undefined],
    ["small", 2],
    ["small", 4],
    ["small", 5],
    ["medium", 5],
  ]);
});

test("Presets are tried from a small one to the first for which there is no time, text or memory", async () => {
  assert.deepEqual(await tried(1e5, 1e9), ["small", "medium", "large"]);
  assert.deepEqual(await tried(5, 1e9), ["small"]);
  assert.deepEqual(await tried(1e5, 600_000), ["small", "medium"]);
  assert.deepEqual(await tried(1e5, 1_000), ["tiny"]);
  const inLittleMemory = new Map([...SPEEDS].slice(0, 2));
  assert.deepEqual(await tried(1e5, 1e9, inLittleMemory), ["small"]);
  assert.deepEqual(await tried(1e5, 1e9, new Map()), []);
});

test("Without a limit, the preset depends on the text and the backend only", () => {
  const presetFor = (...text: Parameters<typeof choiceForText>) => choiceForText(...text).preset;
  assert.equal(presetFor(5_000, "native"), "tiny");
  assert.equal(presetFor(100_000, "native"), "small");
  assert.equal(presetFor(1_000_000, "native"), "medium");
  assert.equal(presetFor(5_000, "wasm"), "tiny");
  assert.equal(presetFor(1_000_000, "wasm"), "small");
});
