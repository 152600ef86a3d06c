import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import type { Vocabulary } from "#src/data/vocabulary.js";
import { type SampleSettings, sample } from "#src/index.js";
import { openMixture, partsOf, readerOf } from "#src/sampling/mixture.js";
import { failsWith } from "../helpers/failure.js";
import { CATS, DOGS, expectations, learned, mixed } from "../helpers/mixtures.js";
import { assertClose } from "../helpers/numbers.js";
import { undisposed } from "../helpers/undisposed.js";

/** What an unknown character is shown as. */
const UNKNOWN = "\ufffd";

test("Several models write the likeliest character by the weighted mean of their probabilities", async (t) => {
  const models = await twoModels(t);
  const before = undisposed();
  const text = await written(models, { mix: [0.7, 0.3], temperature: 0, seed: "a ", length: 30 });
  assert.equal([...text].length, 30);
  assert.equal(undisposed(), before);
  const seen = new Set<string>();
  for (let end = 0; end < 30; end++) {
    const whole = `a ${text.slice(0, end)}`;
    const last = await Promise.all(
      models.map(async (it) => (await expectations(t, it, whole))[whole.length]),
    );
    const expected = mixed(last, [0.7, 0.3]);
    const likeliest = Math.max(...expected.values());
    assert.ok(Number(expected.get(text[end])) > likeliest - 1e-5, `${whole}|${text[end]}`);
    seen.add(text[end]);
  }
  assert.ok(seen.size > 3);
});

test("A seed of characters that only one of several models knows can be continued", async (t) => {
  const models = await twoModels(t);
  const text = await written(models, { seed: "my cat", length: 12, count: 1 });
  assert.equal(text.length, 12);
  await assert.rejects(written(models, { seed: "zzz" }), failsWith("UNKNOWN_CHARACTER", "z"));
});

test("Several models write a k-th text that does not depend on how many there are", async (t) => {
  const models = await twoModels(t);
  const settings = { seed: "my cat", length: 25, mix: [1, 2] };
  const three = await texts(models, { ...settings, count: 3 });
  assert.deepEqual(await texts(models, settings), three.slice(0, 1));
  assert.equal(new Set(three).size, 3);
});

test("A model that is mixed with itself writes what it writes alone", async (t) => {
  const model = await learned(t, CATS);
  const settings = { seed: "the", length: 40, temperature: 0 };
  const alone = await written([model], settings);
  assert.equal(await written([model, model], settings), alone);
  assert.equal(await written([model, model], { ...settings, mix: [5, 1] }), alone);
  // Together these are more than a number can be.
  assert.equal(await written([model, model], { ...settings, mix: [1e308, 1e308] }), alone);
});

test("Shares that don't fit the models, and models that don't fit each other, are refused", async (t) => {
  const model = await learned(t, CATS);
  const lines = await learned(t, CATS, { documents: "lines" });
  for (const [models, mix] of [
    [[model, model], [1]],
    [[model], [1, 1]],
    [
      [model, model],
      [1, 0],
    ],
    [
      [model, model],
      [1, -1],
    ],
  ] as const) {
    await assert.rejects(written(models, { mix }), failsWith("INVALID_SETTING", /^mix/));
  }
  await assert.rejects(written([model, lines], {}), failsWith("INVALID_SETTING", "`documents`"));
});

test("The probabilities of a mixture add up to 1, and what a model lacks shares that of its unknown character", async (t) => {
  // The mark comes once, so that there is an unknown character.
  const cats = await learned(t, `#${CATS}`, { minCount: 2 });
  const dogs = await learned(t, `#${DOGS}`, { minCount: 2 });
  const plain = await learned(t, DOGS);
  for (const { models, text } of [
    { models: [cats, dogs], text: "my cat & a dog" },
    { models: [cats, plain], text: "my cat and a dog" },
    { models: [plain, cats], text: "the hat and my dog" },
  ]) {
    const { vocabulary, session, close } = await opened(models, [0.25, 0.75]);
    const expected = await Promise.all(models.map((it) => expectations(t, it, text)));
    for (const [index, token] of vocabulary.encode(text).entries()) {
      session.read(Int32Array.of(token));
      const shares = models.map((model, k) => {
        const own = expected[k][index + 1];
        const lacking = all(vocabulary).filter(
          (it) => !all(model.vocabulary).includes(it) || it === UNKNOWN,
        );
        const unknown = (own.get(UNKNOWN) ?? 0) / lacking.length;
        return new Map(
          all(vocabulary).map((it) => [it, lacking.includes(it) ? unknown : (own.get(it) ?? 0)]),
        );
      });
      const mean = mixed(shares, [0.25, 0.75]);
      const probabilities = session.predict(0);
      assertClose(
        probabilities,
        all(vocabulary).map((it) => mean.get(it) ?? 0),
        1e-6,
        text,
      );
      assertClose([probabilities.reduce((sum, it) => sum + it, 0)], [1], 1e-6, "sum");
    }
    close();
  }
});

test("A state of zeros makes a session of a mixture begin again, and one that was read continues a text", async (t) => {
  const models = await twoModels(t);
  const { vocabulary, session, close } = await opened(models, [0.5, 0.5], 2);
  const readAll = (sequence: number, text: string) => {
    for (const token of vocabulary.encode(text)) session.read(Int32Array.of(token, token));
    return session.predict(sequence).slice();
  };
  // Only the second model knows the first letter.
  const fresh = readAll(0, "y");
  const state = session.readState(0);
  const later = readAll(0, " cat");
  session.writeState(1, new Float32Array(session.stateSize));
  assert.deepEqual(readAll(1, "y"), fresh);
  session.writeState(1, state);
  assertClose(readAll(1, " cat"), later, 1e-6, "continued");
  close();
});

/** A session of a mixture. */
async function opened(models: readonly Checkpoint[], weights: readonly number[], sequences = 1) {
  const purpose = { streams: sequences };
  const mixture = await openMixture(partsOf(models, weights), { backend: "wasm" }, purpose);
  const session = mixture.openDecodeSession(sequences);
  const close = () => {
    session.dispose();
    mixture.dispose();
  };
  return { vocabulary: readerOf(models).vocabulary, session, close };
}

/** All characters of a vocabulary. */
function all(vocabulary: Vocabulary): string[] {
  return Array.from({ length: vocabulary.size }, (_, token) => vocabulary.characterAt(token));
}

async function twoModels(t: TestContext): Promise<Checkpoint[]> {
  return [await learned(t, CATS), await learned(t, DOGS, { randomSeed: 2 })];
}

async function texts(models: readonly Checkpoint[], settings: SampleSettings): Promise<string[]> {
  const found: string[] = [];
  for await (const characters of sample(models, settings)) {
    for (const [k, character] of characters.entries()) found[k] = (found[k] ?? "") + character;
  }
  return found;
}

async function written(models: readonly Checkpoint[], settings: SampleSettings): Promise<string> {
  return (await texts(models, settings))[0];
}
