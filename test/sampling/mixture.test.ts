import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openBackend } from "#src/backends/select.js";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { loadCheckpoint, type SampleSettings, sample } from "#src/index.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { failsWith } from "../helpers/failure.js";
import { smallRun, trained, workplace } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

// Each knows letters that the other lacks.
const ONE = "the cat sat on a mat\nand a hat\n".repeat(30);
const OTHER = "my dog ran to me\nand hid\n".repeat(40);

test("Several models write the likeliest character by the weighted mean of their probabilities", async (t) => {
  const models = [await learned(t, ONE, 1), await learned(t, OTHER, 2)];
  const before = undisposed();
  const text = await written(models, { mix: [0.7, 0.3], temperature: 0, seed: "a ", length: 30 });
  assert.equal([...text].length, 30);
  assert.equal(undisposed(), before);
  const seen = new Set<string>();
  for (let end = 0; end < 30; end++) {
    const whole = `a ${text.slice(0, end)}`;
    const [one, other] = await Promise.all(models.map((it) => probabilitiesAfter(t, it, whole)));
    const mean = (character: string) =>
      0.7 * (one.get(character) ?? 0) + 0.3 * (other.get(character) ?? 0);
    const characters = [...new Set([...one.keys(), ...other.keys()])];
    const likeliest = Math.max(...characters.map(mean));
    assert.ok(mean(text[end]) > likeliest - 1e-5, `${JSON.stringify(whole)} ${text[end]}`);
    seen.add(text[end]);
  }
  assert.ok(seen.size > 3);
});

test("A seed of characters that only one of several models knows can be continued", async (t) => {
  const models = [await learned(t, ONE, 1), await learned(t, OTHER, 2)];
  const text = await written(models, { seed: "my cat", length: 12, count: 1 });
  assert.equal(text.length, 12);
  await assert.rejects(written(models, { seed: "zzz" }), failsWith("UNKNOWN_CHARACTER", "z"));
});

test("Several models write a k-th text that does not depend on how many there are", async (t) => {
  const models = [await learned(t, ONE, 1), await learned(t, OTHER, 2)];
  const settings = { seed: "my cat", length: 25, mix: [1, 2] };
  const three = await texts(models, { ...settings, count: 3 });
  assert.deepEqual(await texts(models, settings), three.slice(0, 1));
  assert.equal(new Set(three).size, 3);
});

test("A model that is mixed with itself writes what it writes alone", async (t) => {
  const model = await learned(t, ONE, 1);
  const settings = { seed: "the", length: 40, temperature: 0 };
  const alone = await written([model], settings);
  assert.equal(await written([model, model], settings), alone);
  assert.equal(await written([model, model], { ...settings, mix: [5, 1] }), alone);
});

test("Shares that don't fit the models, and models that don't fit each other, are refused", async (t) => {
  const model = await learned(t, ONE, 1);
  const lines = await learned(t, ONE, 1, "lines");
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
  await assert.rejects(written([model, lines], {}), failsWith("INVALID_SETTING", "--documents"));
});

async function learned(t: TestContext, text: string, randomSeed: number, documents?: "lines") {
  const place = await workplace(t, text);
  const settings = { steps: 60, learningRate: 0.02, randomSeed, documents };
  await trained(smallRun(place, settings));
  return loadCheckpoint("run", { out: place.out, weightsOnly: true });
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

/** What a model expects after the characters of a text that it knows. */
async function probabilitiesAfter(t: TestContext, checkpoint: Checkpoint, text: string) {
  const model = new CharRnn(await openBackend("wasm"), checkpoint.config.model);
  t.after(() => model.dispose());
  loadWeights(model, checkpoint.tensors);
  const { vocabulary } = checkpoint;
  const session = model.openDecodeSession(1);
  let logits = new Float32Array(vocabulary.size);
  for (const character of text) {
    const token = vocabulary.indexOf(character.codePointAt(0) as number);
    if (token !== undefined) logits = Float32Array.from(session.step(Int32Array.of(token)));
  }
  session.dispose();
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return new Map(
    Array.from(logits, (logit, token) => [vocabulary.characterAt(token), Math.exp(logit) / total]),
  );
}
