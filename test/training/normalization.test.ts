import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Normalization } from "#src/data/normalizer.js";
import { prepareText } from "#src/data/prepare-text.js";
import { TextRewriter } from "#src/data/text-rewriter.js";
import { evaluateTexts, loadCheckpoint, scoreTexts } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";

/** A text that comes in chunks of so many characters. */
function rewritten(text: string, settings: Normalization, chunk: number): string {
  const rewriter = TextRewriter.for(settings);
  assert.ok(rewriter);
  const codePoints = Array.from(text, (it) => it.codePointAt(0) as number);
  let result = "";
  const add = (some: Int32Array) => {
    for (const it of some) result += String.fromCodePoint(it);
  };
  for (let start = 0; start < codePoints.length; start += chunk) {
    add(rewriter.rewrite(Int32Array.from(codePoints.slice(start, start + chunk))));
  }
  add(rewriter.endFile());
  return result;
}

const LETTERS = [..."aBéÉ ΣσςΑ.ﬁ①한가\r\n", "\u0301", "\u0323", "\u1112", "\u1161", "\u11ab", "İ"];

test("a text in chunks is brought into a normal form as a whole string is", () => {
  const text = fc.array(fc.constantFrom(...LETTERS), { maxLength: 30 }).map((it) => it.join(""));
  const form = fc.constantFrom("nfc", "nfd", "nfkc", "nfkd");
  fc.assert(
    fc.property(text, form, fc.integer({ min: 1, max: 8 }), (written, normalize, chunk) => {
      const expected = written.normalize(normalize.toUpperCase());
      assert.equal(rewritten(written, { normalize: normalize as "nfc" }, chunk), expected);
    }),
  );
});

test("a text in chunks is brought into small letters as a whole string is", () => {
  const text = fc
    .array(fc.constantFrom(..."aBéÉ ΣσςΑ.한\n"), { maxLength: 30 })
    .map((it) => it.join(""));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 8 }), (written, chunk) => {
      // A full stop within a word is no end of it to JavaScript; here it is.
      if (written.includes(".")) return;
      assert.equal(rewritten(written, { lowercase: true }, chunk), written.toLowerCase());
    }),
  );
  assert.equal(rewritten("ΟΔΟΣ ΣΑΣ", { lowercase: true }, 1), "οδος σας");
});

async function lowercaseModel(t: TestContext) {
  const text = inventedText(700).replaceAll("a", "e\u0301").replaceAll(/\bl/g, "L");
  const place = await workplace(t, text);
  const settings = {
    normalize: "nfc",
    lowercase: true,
    steps: 20,
    samplePrompt: "LE\u0301",
  } as const;
  const events = await trained(smallRun(place, settings));
  return { place, events, checkpoint: await loadCheckpoint("run", place) };
}

test("a run keeps the normal form and the letters of its text, and reads all others so", async (t) => {
  const { place, checkpoint } = await lowercaseModel(t);
  const { config, vocabulary } = checkpoint;
  assert.deepEqual([config.text.normalize, config.text.lowercase], ["nfc", true]);
  const known = vocabulary.toJSON().join("");
  assert.ok(known.includes("é") && !/[A-Z]|\u0301/.test(known), known);

  const lossOf = async (written: string) => {
    const { text } = await workplace(t, written);
    for await (const { loss } of evaluateTexts(checkpoint, { files: [text], backend: "wasm" })) {
      return loss;
    }
    throw new Error("no score");
  };
  assert.equal(await lossOf("Lo RE\u0301 in sum"), await lossOf("lo ré in sum"));

  const { text } = await workplace(t, "LE\u0301 lo");
  for await (const { whole, lines } of scoreTexts([checkpoint], { files: [text] })) {
    const [{ bits }] = lines();
    assert.deepEqual([whole.unknown, bits[2], bits.length], [0, 0, 6]);
  }
  const prompt = await prepareText("LE\u0301", { vocabulary, ...config.text }, "error");
  assert.equal(prompt.text, "lé");

  await trained(smallRun(place, { steps: 30, resume: true }));
  await assert.rejects(
    trained(smallRun(place, { steps: 40, resume: true, normalize: "nfd" })),
    failsWith("CANNOT_RESUME", "normalize is nfc"),
  );
});

test("a run that was not asked to reads letters and normal forms as they are", async (t) => {
  const place = await workplace(t, "E\u0301é L ".repeat(100));
  await trained(smallRun(place, { steps: 1 }));
  const { config, vocabulary } = await loadCheckpoint("run", place);
  assert.deepEqual(vocabulary.toJSON(), [" ", "E", "L", "é", "\u0301"].sort());
  assert.ok(!("normalize" in config.text) && !("lowercase" in config.text));
});
