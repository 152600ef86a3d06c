/** Fewer bits for the weights of an exported model: what they change, and how large the file is. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import type { NamedTensor } from "#src/checkpoint/safetensors.js";
import type { ModelConfig } from "#src/config/model.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { measurePrecision } from "#src/export/precision.js";
import { evaluateTexts, exportModel } from "#src/index.js";
import { presetModel } from "#src/planning/presets.js";
import { randomCheckpoint } from "../helpers/exported.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { slow } from "../helpers/slow.js";

test("Fewer bits change logits and the loss the more, the fewer they are, and 32 change nothing", async (t) => {
  const checkpoint = await learned(t, CATS);
  const text = path.join(await temporaryFolder(t), "text.txt");
  await writeFile(text, CATS);
  const measured = await Promise.all(
    ([8, 16, 32] as const).map((bits) => measurePrecision(checkpoint, bits, { text: [text] })),
  );
  const [eight, sixteen, all] = measured;
  assert.ok(eight.largest > 8 * sixteen.largest && sixteen.largest > 0);
  assert.ok(eight.typical > 8 * sixteen.typical && sixteen.typical < sixteen.largest);
  assert.deepEqual([all.typical, all.largest], [0, 0]);
  let loss = Number.NaN;
  for await (const score of evaluateTexts(checkpoint, { files: [text] })) loss = score.loss;
  for (const { loss: own, characters } of measured) {
    assert.equal(own?.before, loss);
    assert.ok(Math.abs((own?.after ?? Number.NaN) - loss) < 0.01);
    assert.equal(characters, 500);
  }
  assert.equal(all.loss?.after, loss);
  assert.notEqual(eight.loss?.after, loss);
});

test("The precision of a model of short documents is measured in as many characters", async (t) => {
  const checkpoint = await learned(t, "anna\nbob\nclaire\n".repeat(60), { documents: "lines" });
  const { characters, largest } = await measurePrecision(checkpoint, 8);
  assert.equal(characters, 500);
  assert.ok(largest > 0);
});

test("Weights that 16 bits have no room for are not exported with them", async () => {
  const model: ModelConfig = {
    cell: "gru",
    layers: 1,
    hiddenSize: 3,
    embeddingSize: 0,
    vocabularySize: 13,
  };
  const checkpoint = randomCheckpoint(model);
  (checkpoint.tensors.get("decoder.bias") as NamedTensor).data[1] = 70_000;
  await assert.rejects(exportModel(checkpoint, { to: "html" }), {
    code: "NOT_WRITABLE",
    message: "The model has weights beyond 65,504, which 16 bits have no room for.",
  });
  assert.ok((await exportModel(checkpoint, { to: "html", bits: 32 })).length > 0);
});

test("An export says which bits there are, and where they have no effect", async () => {
  const checkpoint = randomCheckpoint({
    cell: "rnn",
    layers: 1,
    hiddenSize: 3,
    embeddingSize: 0,
    vocabularySize: 13,
  });
  for (const [settings, message] of [
    [{ to: "onnx", bits: 8 }, "bits has no effect on ONNX, whose weights always have 32."],
    [{ to: "html", bits: 4 }, "bits must be 8, 16 or 32, not 4."],
    [{ to: "html", bits: 12 }, "bits must be 8, 16 or 32, not 12."],
    [
      { to: "html", bits: 32, text: ["a.txt"] },
      /^text shows what fewer bits for the weights change/,
    ],
    [
      { to: "onnx", text: ["a.txt"] },
      "text has no effect on ONNX, whose weights always have 32 bits.",
    ],
  ] as const) {
    await assert.rejects(exportModel(checkpoint, settings), { code: "INVALID_SETTING", message });
  }
});

slow("Pages have the sizes that docs/exporting.md promises", async () => {
  const characters = Array.from({ length: 65 }, (_, k) => 32 + k);
  for (const [preset, most] of [
    ["small", 7.3e6],
    ["medium", 20.6e6],
  ] as const) {
    const vocabulary = Vocabulary.fromCodePoints(characters);
    const page = await exportModel(randomCheckpoint(presetModel(preset, 65, 1e6), vocabulary), {
      to: "html",
    });
    assert.ok(page.length < most, `${preset}: ${page.length}`);
    const text = Buffer.from(page).toString();
    const [, weights] = /id="weights">([^<]*)</.exec(text) ?? [];
    const others = page.length - weights.length;
    assert.ok(weights.length > most / 2 && others < 110_000, `${preset}: ${others}`);
  }
});

test("A model too large for a browser is refused with its size, and with the bits that would do", async () => {
  const refused = (hiddenSize: number, bits: 16 | 32, ...says: string[]) => {
    const { config, ...rest } = randomCheckpoint(presetModel("small", 65, 1e6));
    const model = { ...config.model, layers: 1, hiddenSize };
    return assert.rejects(
      exportModel({ ...rest, config: { ...config, model } }, { to: "js", bits }),
      failsWith("NOT_WRITABLE", ...says),
    );
  };
  await refused(5_000, 32, "With 32 bits", "428 MB", "300 MB at most", "`bits: 16`: 209 MB");
  await refused(8_000, 16, "With 16 bits", "MB", "`bits: 8`");
  await refused(20_000, 16, "GB", "`to: onnx`");
});
