import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { ngramTables } from "#src/config/ngrams.js";
import { loadCheckpoint, type TrainSettings } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { assertClose, assertSameBytes } from "../helpers/numbers.js";
import {
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  workplace,
} from "../helpers/training.js";

/** A rate so low that no weight can be told from what it began with. */
const STILL = { steps: 1, learningRate: 1e-30 };

for (const [title, settings] of [
  ["a GRU with an embedding", { cell: "gru", embeddingSize: 5 }],
  [
    "a GRU with n-grams",
    { cell: "gru", embeddingSize: 5, ngramOrder: 3, ngramRows: 600, steps: 40 },
  ],
  ["a one-hot LSTM", { cell: "lstm", embeddingSize: 0, layers: 2 }],
] as const) {
  test(`A run that begins with the weights of another keeps what it knows of each character: ${title}`, async (t) => {
    const { place, other, base } = await setUp(t, settings);
    const { ngramOrder, ...tuning } = smallRun(place, {
      files: [other],
      initFrom: "base",
      ...STILL,
    });
    await trained(tuning);
    const tuned = await loadCheckpoint("run", place);
    const characters = tuned.vocabulary.toJSON();
    assert.deepEqual(characters, [...new Set([...base.vocabulary.toJSON(), "é", "#"])].sort());
    const { vocabularySize: _, ...shape } = base.config.model;
    const { vocabularySize, ...tunedShape } = tuned.config.model;
    assert.deepEqual(tunedShape, shape);
    for (const [index, character] of base.vocabulary.toJSON().entries()) {
      const place = characters.indexOf(character);
      for (const [name, expected] of rowsOf(base, index)) {
        assertSameBytes(rowsOf(tuned, place).get(name) as Float32Array, expected, name);
      }
    }
    for (const { name } of ngramTables(base.config.model)) {
      const vectors = (it: typeof base) => it.tensors.get(name)?.data as Float32Array;
      const known = new Set(vectors(base));
      const moved = vectors(tuned).filter((number) => Math.abs(number) > 1e-10);
      assert.ok(moved.length > 100 && moved.every((number) => known.has(number)), name);
    }
    const recurrent = (it: typeof base) => it.tensors.get("rnn.weight_hh_l0")?.data;
    assertSameBytes(recurrent(tuned) as Float32Array, recurrent(base) as Float32Array, "hh");
    const bias = (it: typeof base, index: number) => it.tensors.get("decoder.bias")?.data[index];
    const lowest = Math.min(...base.vocabulary.toJSON().map((_, i) => bias(base, i) as number));
    for (const added of ["é", "#"]) {
      assert.ok(Math.abs((bias(tuned, characters.indexOf(added)) ?? 0) - lowest) < 1e-6, added);
    }
  });
}

test("A run that begins with the weights of another takes over its embeddings of n-grams where its characters are the same", async (t) => {
  const ngrams = { embeddingSize: 5, ngramOrder: 3, ngramRows: 300 };
  const { place, base } = await setUp(t, { ...ngrams, steps: 20, learningRate: 0.02 });
  const { ngramOrder, ...tuning } = smallRun(place, { initFrom: "base", ...STILL });
  await trained(tuning);
  const tuned = await loadCheckpoint("run", place);
  const tables = ngramTables(base.config.model);
  assert.deepEqual([tables.length, tables[1].rows], [2, 300]);
  for (const { name } of tables) {
    const expected = base.tensors.get(name)?.data as Float32Array;
    assert.ok(expected.some((number) => Math.abs(number) > 0.01));
    assertClose(tuned.tensors.get(name)?.data as Float32Array, expected, 1e-20, name);
  }
});

test("A run that begins with the weights of another starts with a lower loss than one with random weights, and takes nothing else from the other", async (t) => {
  const { place, other } = await setUp(t, { learningRate: 0.02, steps: 150 });
  const settings = { files: [other], steps: 2, learningRate: 1e-3 };
  const fresh = await trained(smallRun(place, { ...settings, name: "fresh" }));
  const tuned = await trained(smallRun(place, { ...settings, initFrom: "base" }));
  const firstLoss = (events: typeof fresh) => only(events, "step")[0].loss;
  assert.ok(firstLoss(tuned) < firstLoss(fresh) - 0.3);
  const [start] = only(tuned, "start");
  assert.deepEqual([start.step, endOf(tuned).step], [0, 2]);
  assert.equal(only(tuned, "step")[0].learningRate, 1e-3);
});

test("A run that begins with the weights of another is resumed to the same bytes after it was interrupted, with all its characters", async (t) => {
  const { place, other } = await setUp(t);
  const settings = { files: [other], initFrom: "base", steps: 8 };
  await trained(smallRun(place, { ...settings, name: "unbroken" }));
  const { initFrom, ...rest } = smallRun(place, { ...settings, name: "broken" });
  await trained({ ...rest, initFrom }, (event) => event.event === "step" && event.step === 3);
  await trained({ ...rest, resume: true });
  const [unbroken, broken] = await Promise.all(
    ["unbroken", "broken"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(broken.equals(unbroken));
});

test("A run that begins with the weights of another is refused with another cell or size, without that other, and with --resume", async (t) => {
  const { place } = await setUp(t);
  // Also where there is a run to resume.
  await assert.rejects(
    trained(smallRun(place, { name: "base", initFrom: "base", resume: true })),
    failsWith("INVALID_SETTING", "`resume`", "`initFrom`"),
  );
  for (const [settings, code, ...said] of [
    [{ hiddenSize: 9 }, "INVALID_SETTING", "hiddenSize is 8", "9"],
    [{ cell: "lstm" }, "INVALID_SETTING", "cell is gru", "lstm"],
    [{ layers: 3 }, "INVALID_SETTING", "layers is 1", "3"],
    [{ ngramOrder: 2 }, "INVALID_SETTING", "ngramOrder is 1", "2"],
    [{ initFrom: "nothing" }, "NOT_FOUND", "nothing"],
    [{ resume: true }, "INVALID_SETTING", "`resume`", "`initFrom`"],
  ] as const) {
    const { hiddenSize, ...rest } = smallRun(place, { initFrom: "base" });
    const all: TrainSettings = { ...rest, ...settings };
    await assert.rejects(trained(all), failsWith(code, ...said));
  }
});

/** A run `base`, and a text with characters that it does not know. */
async function setUp(t: TestContext, settings: Partial<TrainSettings> = {}) {
  const place = await workplace(t);
  await trained(smallRun(place, { name: "base", steps: 6, ...settings }));
  const other = path.join(path.dirname(place.text), "other.txt");
  await writeFile(other, inventedText(600, 5).replaceAll("ra", "ré").replaceAll("day", "#"));
  return { place, other, base: await loadCheckpoint("base", place) };
}

type Loaded = Awaited<ReturnType<typeof loadCheckpoint>>;

/** All weights that belong to one character. */
function rowsOf({ config, tensors, vocabulary: { size } }: Loaded, index: number) {
  const rows = new Map<string, Float32Array>();
  const all = (name: string) => tensors.get(name)?.data as Float32Array;
  for (const name of ["encoder.weight", "decoder.weight", "decoder.bias"]) {
    if (!tensors.has(name)) continue;
    const width = all(name).length / size;
    rows.set(name, all(name).slice(index * width, (index + 1) * width));
  }
  if (config.model.embeddingSize === 0) {
    const name = "rnn.weight_ih_l0";
    rows.set(
      name,
      all(name).filter((_, i) => i % size === index),
    );
  }
  return rows;
}
