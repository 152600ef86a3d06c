import assert from "node:assert/strict";
import { test } from "node:test";
import { trackedProperties } from "#src/report/neurons.js";
import { propertiesOf } from "#src/report/properties.js";
import { Draw } from "../helpers/numbers.js";

/** Lines of words, some of them in quotation marks or brackets. */
function textOf(lines: number): string[] {
  const draw = new Draw(3);
  const words = ["love", "Ravens", "(so they say)", '"indeed"', "it", "summer"];
  const text = Array.from({ length: lines }, (_, k) =>
    k % 5 === 4 ? "" : Array.from({ length: 3 + draw.below(4) }, () => draw.pick(words)).join(" "),
  );
  return [...text.join("\n")];
}

test("Properties of a text have the values worked out by hand, for each character", () => {
  const characters = [...'A "b c"\n\n(d)\nEf'];
  const values = new Map(propertiesOf(characters).map(({ name, values: own }) => [name, [...own]]));
  assert.deepEqual(
    values.get("position in the line"),
    [1, 2, 3, 4, 5, 6, 7, 0, 0, 1, 2, 3, 0, 1, 2],
  );
  assert.deepEqual(
    values.get("inside quotation marks"),
    [0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  assert.deepEqual(values.get("inside brackets"), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]);
  assert.deepEqual(
    values.get("position in the word"),
    [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 2],
  );
  assert.deepEqual(values.get("a line ends next"), [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0]);
  assert.deepEqual(
    values.get("a capital letter comes next"),
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
  );
});

test("Properties of a text that never change are left out", () => {
  const names = propertiesOf([..."abc".repeat(50)]).map(({ name }) => name);
  assert.ok(!names.includes("inside brackets") && !names.includes("a line ends next"));
  assert.ok(names.includes("position in the line"));
});

test("Units that track a property of a text are found among others, with how well they track it", async () => {
  const characters = textOf(400);
  const draw = new Draw(9);
  const noise = () => Float32Array.from(characters, () => draw.uniform() - 0.5);
  const properties = new Map(propertiesOf(characters).map((it) => [it.name, it.values]));
  const position = properties.get("position in the line") as Float32Array;
  const quotes = properties.get("inside quotation marks") as Float32Array;
  const activations = [
    noise(),
    position.map((value) => -0.01 * value + 0.3),
    noise(),
    // Turned round, and not always right.
    quotes.map((value, k) => (k % 20 === 0 ? -1 : 1) * (0.4 - value)),
  ];
  const tracked = new Map(
    (await trackedProperties(characters, activations)).map((it) => [it.property, it]),
  );
  const line = tracked.get("position in the line");
  assert.deepEqual([line?.best[0].unit, line?.measure], [1, "R²"]);
  assert.ok((line?.best[0].score ?? 0) > 0.999);
  assert.ok((line?.best[1]?.score ?? 0) < 0.3);
  const inQuotes = tracked.get("inside quotation marks");
  assert.deepEqual([inQuotes?.best[0].unit, inQuotes?.measure], [3, "balanced accuracy"]);
  const score = inQuotes?.best[0].score ?? 0;
  assert.ok(score > 0.93 && score < 0.99, `${score}`);
});

test("Units that track a property of a text are left out where they do no better than chance on the part of the text that they were not chosen on", async () => {
  const draw = new Draw(4);
  const characters = textOf(200);
  const noise = Float32Array.from(characters, () => draw.uniform());
  for (const { best } of await trackedProperties(characters, [noise])) {
    assert.ok(best.every(({ score }) => score < 0.56));
  }
  const still = await trackedProperties(characters, [new Float32Array(characters.length)]);
  assert.ok(still.every(({ best }) => best.length === 0));
});
