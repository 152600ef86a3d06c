/** An exported module writes what `charnn sample` writes. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { encodeJs } from "#src/export/js/encode-js.js";
import { openModel, type SampleSettings } from "#src/index.js";
import type { PortableModel } from "#src/portable/portable-model.js";
import { temporaryFolder } from "../helpers/folder.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { CAT_EMOJI, PORTABLE_MODELS, sampledByWasm } from "../helpers/portable.js";

type Exported = Pick<PortableModel, "generate" | "next" | "score">;

/** Loads a model as a module that was exported. */
async function exported(t: TestContext, checkpoint: Checkpoint, bits: 8 | 16 | 32 = 32) {
  const file = path.join(await temporaryFolder(t), "model.mjs");
  await writeFile(file, await encodeJs(checkpoint, bits));
  return (await import(pathToFileURL(file).href)) as Exported;
}

async function written(
  model: Exported,
  prompt: string,
  settings: Parameters<Exported["generate"]>[1],
): Promise<string> {
  let text = "";
  for await (const character of model.generate(prompt, settings)) text += character;
  return text;
}

for (const [title, settings] of PORTABLE_MODELS) {
  test(`An exported module writes the same 10,000 characters as sample (${title})`, async (t) => {
    const checkpoint = await learned(t, CAT_EMOJI, settings);
    const model = await exported(t, checkpoint);
    const how = { length: 10_000, temperature: 1.5, topP: 0.999, minP: 1e-4, randomSeed: 5 };
    const text = await written(model, "the \u{1f431}", how);
    assert.equal(text, await sampledByWasm(checkpoint, { ...how, seed: "the \u{1f431}" }));
    assert.match(text, /[\u{1f431}\u{1f9f6}]/u);
  });
}

test("An exported module writes the same without a prompt, and with other settings", async (t) => {
  const checkpoint = await learned(t, CAT_EMOJI);
  const model = await exported(t, checkpoint);
  const all: SampleSettings[] = [
    {},
    { length: 50 },
    { temperature: 0, length: 30 },
    { topK: 3 },
    { lines: 2 },
    { stop: ["mat", "cat"] },
    { length: 0 },
  ];
  for (const given of all) {
    const settings = { ...given, randomSeed: 3 } as Parameters<Exported["generate"]>[1];
    assert.equal(
      await written(model, "", settings),
      await sampledByWasm(checkpoint, { ...given, randomSeed: 3 }),
    );
  }
});

test("A model of documents ends its texts in an exported module as in sample", async (t) => {
  for (const documents of ["lines", "<|end|>"]) {
    const text = documents === "lines" ? CATS : CATS.replaceAll("\n", documents);
    const checkpoint = await learned(t, text, { documents, normalize: "nfc", lowercase: true });
    const model = await exported(t, checkpoint);
    for (let randomSeed = 0; randomSeed < 5; randomSeed++) {
      const settings = { length: 300, randomSeed };
      const same = await sampledByWasm(checkpoint, { ...settings, seed: "THE" });
      assert.equal(await written(model, "THE", settings), same);
    }
  }
});

test("An exported module expects what an open model expects", async (t) => {
  const checkpoint = await learned(t, CAT_EMOJI);
  const model = await exported(t, checkpoint);
  const other = await openModel(checkpoint, { backend: "wasm" });
  t.after(() => other.close());
  assert.deepEqual(await model.next("the c", 5), await other.next("the c", 5));
  assert.deepEqual(await model.score("the cat sat"), await other.score("the cat sat"));
});

test("With fewer bits a weight the predictions of an exported module are nearly the same", async (t) => {
  const checkpoint = await learned(t, CAT_EMOJI);
  const exact = await (await exported(t, checkpoint)).next("the c", 100);
  for (const [bits, most] of [
    [16, 2e-3],
    [8, 5e-2],
  ] as const) {
    const near = await (await exported(t, checkpoint, bits)).next("the c", 100);
    const of = new Map(near.map(({ character, probability }) => [character, probability]));
    const differences = exact.map(({ character, probability }) =>
      Math.abs(Number(of.get(character)) - probability),
    );
    const largest = Math.max(...differences);
    assert.ok(largest > 0 && largest < most, `${bits} bits: ${largest}`);
  }
});

test("A text of an exported module can be stopped, and a prompt that it can't read is refused", async (t) => {
  const model = await exported(t, await learned(t, CAT_EMOJI));
  const stop = new AbortController();
  let count = 0;
  const endless = async () => {
    for await (const _ of model.generate("the", { length: -1, signal: stop.signal })) {
      if (++count === 100) stop.abort(new Error("enough"));
    }
  };
  await assert.rejects(endless(), /enough/);
  assert.equal(count, 100);
  await assert.rejects(written(model, "Q", {}), { code: "UNKNOWN_CHARACTER" });
  assert.equal((await written(model, "Q", { unknown: "skip", length: 5 })).length > 0, true);
  const draws = await Promise.all([1, 2, 3].map(() => written(model, "the", { length: 40 })));
  assert.equal(new Set(draws).size, 3);
});
