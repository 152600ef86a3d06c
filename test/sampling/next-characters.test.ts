import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openBackend } from "#src/backends/select.js";
import { type Checkpoint, loadCheckpoint, type Next, nextCharacters } from "#src/index.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { failsWith } from "../helpers/failure.js";
import { smallRun, trained, workplace } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

test("The likeliest next characters have the probabilities that the model gives them", async (t) => {
  const checkpoint = await learned(t);
  const { characters } = await nextCharacters(checkpoint, { text: "thou sum", top: 5 });
  const expected = await probabilitiesAfter(t, checkpoint, "thou sum");
  assert.equal(characters.length, 5);
  const sorted = [...expected].sort(([, a], [, b]) => b - a).slice(0, 5);
  assertClose(
    characters.map(({ probability }) => probability),
    sorted.map(([, probability]) => probability),
  );
  assert.deepEqual(
    characters.map(({ character }) => character),
    sorted.map(([character]) => character),
  );
});

test("What the next character depends on is what changes where a character is left out", async (t) => {
  const checkpoint = await learned(t);
  const text = "thou day lo";
  const { depends } = await nextCharacters(checkpoint, { text, depends: 6 });
  const whole = await probabilitiesAfter(t, checkpoint, text);
  assert.deepEqual(depends.map(({ distance }) => distance).sort(), [1, 2, 3, 4, 5, 6]);
  for (const { distance, character, bits } of depends) {
    assert.equal(character, text.at(-distance));
    const left = text.slice(0, -distance) + text.slice(text.length - distance + 1);
    const without = await probabilitiesAfter(t, checkpoint, left);
    let expected = 0;
    for (const [key, p] of whole) expected += p * Math.log2(p / (without.get(key) as number));
    assertClose([bits], [expected]);
  }
  const bits = depends.map((it) => it.bits);
  assert.deepEqual(
    bits,
    bits.toSorted((a, b) => b - a),
  );
});

test("The next character is predicted after any text, however short, and after none", async (t) => {
  const checkpoint = await learned(t);
  const before = undisposed();
  const lengths = (next: Next) => [next.characters.length, next.depends.length];
  assert.deepEqual(lengths(await nextCharacters(checkpoint, { text: "" })), [10, 0]);
  assert.deepEqual(lengths(await nextCharacters(checkpoint, { text: "t" })), [10, 1]);
  assert.deepEqual(lengths(await nextCharacters(checkpoint, { text: "th", depends: 0 })), [10, 0]);
  const all = await nextCharacters(checkpoint, { text: "th", top: 1000 });
  const total = all.characters.reduce((sum, { probability }) => sum + probability, 0);
  assertClose([total], [1]);
  await assert.rejects(
    nextCharacters(checkpoint, { text: "thé" }),
    failsWith("UNKNOWN_CHARACTER", "`unknown: map`"),
  );
  const mapped = await nextCharacters(checkpoint, { text: "thé", unknown: "map" });
  assert.deepEqual(mapped, await nextCharacters(checkpoint, { text: "the" }));
  assert.equal(undisposed(), before);
});

async function learned(t: TestContext) {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 30, learningRate: 0.02 }));
  return loadCheckpoint("run", place);
}

/** One plain reading of a text, from the end of a line on where it is empty. */
async function probabilitiesAfter(t: TestContext, checkpoint: Checkpoint, text: string) {
  const model = new CharRnn(await openBackend("wasm"), checkpoint.config.model);
  t.after(() => model.dispose());
  loadWeights(model, checkpoint.tensors);
  const session = model.openDecodeSession(1);
  let logits = new Float32Array();
  for (const token of checkpoint.vocabulary.encode(text)) {
    logits = Float32Array.from(session.step(Int32Array.of(token)));
  }
  session.dispose();
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return new Map(
    Array.from(logits, (logit, token) => [
      checkpoint.vocabulary.characterAt(token),
      Math.exp(logit) / total,
    ]),
  );
}

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  for (const [index, value] of actual.entries()) {
    assert.ok(Math.abs(value - expected[index]) < 1e-4, `${actual} ${expected}`);
  }
}
