/** Reading a text that changes, as a page does while one types. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Vocabulary } from "#src/data/vocabulary.js";
import { piecesOf } from "#src/portable/pieces.js";
import type { PortableModel } from "#src/portable/portable-model.js";
import { EVERY_SHAPE, randomCheckpoint, titleOf } from "../helpers/exported.js";
import { portable } from "../helpers/portable.js";

async function written(
  model: PortableModel,
  prompt: string,
  reader?: ReturnType<PortableModel["reader"]>,
): Promise<string> {
  let text = "";
  const settings = { length: 100, randomSeed: 3, temperature: 1 };
  for await (const character of model.generate(prompt, settings, reader)) text += character;
  return text;
}

const BEGINNING = "a bed\nfade \u{1f600}é ".repeat(12);
/** As somebody types, deletes and goes back in it. */
const TEXTS = [
  "a",
  "ab",
  "",
  BEGINNING,
  `${BEGINNING}ace`,
  `${BEGINNING.slice(0, 70)}dad${BEGINNING.slice(70)}`,
  BEGINNING.slice(0, 33),
  BEGINNING.slice(0, 32),
  `${BEGINNING}ace`,
];

for (const shape of EVERY_SHAPE) {
  test(`A text that changes is read as a new one would be (${titleOf(shape)})`, async () => {
    const model = await portable(randomCheckpoint(shape));
    const reader = model.reader();
    for (const text of TEXTS) {
      const tokens = model.vocabulary.encode(text);
      const bits = await reader.read(tokens);
      const scores = await model.score(text);
      assert.equal(bits.length, scores.length);
      for (const [k, { bits: expected }] of scores.entries()) {
        if (expected === undefined) continue;
        const isNear = Math.abs((bits[k] as number) - expected) < 1e-9;
        assert.ok(isNear, `${text.slice(0, k)}: ${bits[k]}, ${expected}`);
      }
      const options = { top: 5, depends: 4 };
      const whole = await model.predict(text, options);
      assert.deepEqual(await model.predictAfter(tokens, options, reader), whole);
      assert.equal(await written(model, text, reader), await written(model, text));
      // What was written is read along.
      const more = text + (await written(model, text));
      const again = await reader.read(model.vocabulary.encode(more));
      assert.equal(again.length, [...more].length);
      await reader.read(tokens);
    }
  });
}

test("A reading that is interrupted goes on where it was", async () => {
  const model = await portable(randomCheckpoint(EVERY_SHAPE[0]));
  const reader = model.reader();
  const tokens = model.vocabulary.encode(BEGINNING.repeat(2_000));
  const stop = new AbortController();
  const reading = reader.read(tokens, { signal: stop.signal, onTurn: () => stop.abort() });
  await assert.rejects(reading, { name: "AbortError" });
  const read = reader.bits.length;
  assert.ok(read > 0 && read < tokens.length);
  let least = Number.POSITIVE_INFINITY;
  const onTurn = () => {
    least = Math.min(least, reader.bits.length);
  };
  const bits = await reader.read(tokens, { onTurn });
  assert.ok(least > read);
  assert.equal(bits.length, tokens.length);
  const short = await model.score(BEGINNING);
  assert.ok(Math.abs((bits[100] as number) - (short[100].bits as number)) < 1e-9);
});

test("A text is read in the pieces that the model's normal form makes characters of", () => {
  const vocabulary = Vocabulary.fromCodePoints(
    Array.from("aé\u{1f600}", (it) => it.codePointAt(0) as number),
  );
  const plain = piecesOf("a\u{1f600}x", { vocabulary });
  assert.deepEqual(plain, [
    { length: 1, tokens: [0] },
    { length: 2, tokens: [2] },
    { length: 1, tokens: [] },
  ]);
  const composed = piecesOf("Ae\u0301\u{1f600}", { vocabulary, normalize: "nfc", lowercase: true });
  assert.deepEqual(composed, [
    { length: 1, tokens: [0] },
    { length: 2, tokens: [1] },
    { length: 2, tokens: [2] },
  ]);
});
