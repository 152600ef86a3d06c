import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { selectBackend } from "#src/backends/select.js";
import { type Checkpoint, loadCheckpoint, type SampleSettings, sample } from "#src/index.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { sampleCandidates } from "#src/sampling/sample.js";
import { failsWith } from "../helpers/failure.js";
import { smallRun, trained, workplace } from "../helpers/training.js";
import { abortedAfterTurns, tickingClock } from "../helpers/turns.js";

test("The best of several texts is the likeliest per character, and the plain text is one of them", async (t) => {
  const checkpoint = await learned(t);
  const settings = { seed: "th", length: 30, count: 2, bestOf: 5 };
  const chosen = await sampleCandidates(checkpoint, settings);
  const plain = await texts(checkpoint, { ...settings, bestOf: 1 });
  for (const [k, candidates] of chosen.entries()) {
    const bits = candidates.map(({ bitsPerCharacter }) => bitsPerCharacter);
    assert.deepEqual(
      bits,
      bits.toSorted((a, b) => a - b),
    );
    assert.ok(candidates.some(({ text }) => text === plain[k]));
    assert.equal(new Set(candidates.map(({ text }) => text)).size, 5);
  }
  const best = chosen.map(([{ text }]) => text);
  assert.deepEqual(await texts(checkpoint, settings), best);
});

test("The bits per character of a text are those that the model itself gives it, whatever the temperature", async (t) => {
  const checkpoint = await learned(t);
  const { vocabulary } = checkpoint;
  const settings = { seed: "th", length: 12, bestOf: 3, temperature: 1.4, topK: 9, forbid: "e" };
  const [candidates] = await sampleCandidates(checkpoint, settings);
  const { backend } = await selectBackend("wasm");
  const model = new CharRnn(backend, checkpoint.config.model);
  t.after(() => model.dispose());
  loadWeights(model, checkpoint.tensors);
  for (const { text, bitsPerCharacter } of candidates) {
    const session = model.openDecodeSession(1);
    let logits = new Float32Array();
    let bits = 0;
    for (const [index, token] of vocabulary.encode(settings.seed + text).entries()) {
      if (index >= settings.seed.length) {
        const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
        bits -= Math.log2(Math.exp(logits[token]) / sum);
      }
      logits = Float32Array.from(session.step(Int32Array.of(token)));
    }
    session.dispose();
    assert.ok(Math.abs(bits / text.length - bitsPerCharacter) < 1e-4);
  }
});

test("A text is written anew until it contains all that it is to include", async (t) => {
  const checkpoint = await learned(t);
  const settings = { length: 60, count: 3, include: ["th", "e "] };
  const chosen = await sampleCandidates(checkpoint, settings);
  for (const [{ text, tries }] of chosen) {
    assert.ok(text.includes("th") && text.includes("e "), text);
    assert.ok(tries >= 1);
  }
  // It is the first of the texts of its place that will do.
  const [{ text, tries }] = chosen[0];
  const all = await sampleCandidates(checkpoint, { length: 60, bestOf: tries });
  const good = all[0].filter((it) => it.text.includes("th") && it.text.includes("e "));
  assert.deepEqual(
    good.map((it) => it.text),
    [text],
  );
});

test("What no text contains is given up after many, with an error that names it", async (t) => {
  const checkpoint = await learned(t);
  await assert.rejects(
    texts(checkpoint, { length: 3, topP: 0.01, include: ["sss"] }),
    failsWith("NOTHING_ALLOWED", /10,000 texts contain "sss"/),
  );
});

test("Unique texts are all different, and those that were different stay the same", async (t) => {
  const checkpoint = await learned(t);
  const settings = { seed: "t", length: 1, count: 8 };
  const plain = await texts(checkpoint, settings);
  assert.ok(new Set(plain).size < plain.length, "there is nothing to do");
  const unique = await texts(checkpoint, { ...settings, unique: true });
  assert.equal(new Set(unique).size, unique.length);
  for (const [k, text] of plain.entries()) {
    const isFirst = plain.indexOf(text) === k;
    if (isFirst && !unique.slice(0, k).includes(text)) assert.equal(unique[k], text);
  }
});

test("New texts are no lines of a list, with their seed", async (t) => {
  const checkpoint = await learned(t);
  const settings = { seed: "t", length: 1, count: 6 };
  const plain = await texts(checkpoint, settings);
  const list = join((await workplace(t)).out, "..", "list.txt");
  await writeFile(list, `x\nt${plain[0]}\r\nt${plain[1]}`);
  const found = await texts(checkpoint, { ...settings, new: [list] });
  assert.ok(!found.includes(plain[0]) && !found.includes(plain[1]), `${found} ${plain}`);
});

test("The sampling of several texts for one can be aborted", async (t) => {
  const checkpoint = await learned(t);
  tickingClock(t);
  const signal = abortedAfterTurns(5, new Error("enough"));
  const settings = { length: 5_000, bestOf: 64 };
  await assert.rejects(sampleCandidates(checkpoint, settings, { signal }), { message: "enough" });
});

async function learned(t: TestContext) {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 30, learningRate: 0.02 }));
  return loadCheckpoint("run", place);
}

async function texts(checkpoint: Checkpoint, settings: SampleSettings): Promise<string[]> {
  const found: string[] = [];
  for await (const characters of sample(checkpoint, settings)) {
    for (const [k, character] of characters.entries()) found[k] = (found[k] ?? "") + character;
  }
  return found;
}
