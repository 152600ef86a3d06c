/** Texts beside the prompt that a sampling is given, and how they are read for its model. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import {
  type Checkpoint,
  findCopies,
  loadCheckpoint,
  type SampleSettings,
  sample,
  type TrainSettings,
} from "#src/index.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";

test("Words, lists and training texts are read in the letters and the normal form of the model", async (t) => {
  const text = inventedText(700).replaceAll("ve", "ve\u0301");
  const { checkpoint, fileOf } = await learned(t, text, { normalize: "nfc", lowercase: true });
  const plain = await texts(checkpoint, { length: 200 });
  assert.match(plain[0], /lo/);

  const words = [await fileOf("LOVE\u0301\nSum")];
  const [ofWords] = await texts(checkpoint, { words, length: 80 });
  const written = new Set(ofWords.match(/[\p{L}\p{M}]+/gu));
  assert.ok(written.size > 0);
  assert.deepEqual(
    [...written].filter((word) => word !== "lov\u00e9" && word !== "sum"),
    [],
  );

  const trainingText = [await fileOf("LOVE\u0301")];
  const [uncopied] = await texts(checkpoint, { maxCopy: 1, trainingText, length: 200 });
  assert.doesNotMatch(uncopied, /lo|ov|v\u00e9/);

  const short = { seed: "T", length: 1, count: 6 };
  const [first] = await texts(checkpoint, short);
  const list = await fileOf(`x\nt${first}\n`.toUpperCase());
  assert.ok(!(await texts(checkpoint, { ...short, new: [list] })).includes(first));
});

test("Texts to stop at and to include are in the letters of the model", async (t) => {
  const { checkpoint } = await learned(t, inventedText(700), { lowercase: true });
  const [stopped] = await texts(checkpoint, { stop: ["LO"], length: 500 });
  assert.match(stopped, /^(?!.*lo.)[^A-Z]*lo$/s);
  const [including] = await texts(checkpoint, { include: ["LO"], length: 60 });
  assert.match(including, /lo/);
});

test("New texts of a model of paragraphs are no paragraphs of a list", async (t) => {
  const { checkpoint, fileOf } = await learned(t, "ab\nba\n\nb\na\n\na\nb\n\n".repeat(20), {
    documents: "paragraphs",
    learningRate: 0.05,
    steps: 60,
  });
  const settings = { count: 12, length: 12 };
  const plain = await texts(checkpoint, settings);
  const paragraph = plain.find((it) => /^[ab]+\n[ab]+$/.test(it));
  assert.ok(paragraph !== undefined, JSON.stringify(plain));
  const list = await fileOf(`other\n \n${paragraph}\r\n\r\nmore\n`);
  const found = await texts(checkpoint, { ...settings, new: [list] });
  assert.ok(!found.includes(paragraph), JSON.stringify(found));
  // Its lines alone are no paragraphs.
  const lines = await fileOf(paragraph.replace("\n", "\n\n"));
  const others = await texts(checkpoint, { ...settings, new: [lines] });
  assert.ok(others.includes(paragraph), JSON.stringify(others));
});

test("Copies are found in small letters and in a normal form where that is asked for", async (t) => {
  const { fileOf } = await learned(t, inventedText(300), { steps: 1 });
  const files = [await fileOf("One. Caf\u00c9 AT NIGHT, and more\n")];
  const sample = await fileOf("the cafe\u0301 at night");
  const longest = async (settings: { lowercase?: boolean; normalize?: "nfc" }) =>
    (await findCopies({ sample, files, atLeast: 5, ...settings })).longest?.text;
  assert.equal(await longest({}), "af");
  assert.equal(await longest({ lowercase: true }), " at night");
  assert.equal(await longest({ lowercase: true, normalize: "nfc" }), " caf\u00e9 at night");
});

/** A small model of a text, and what writes further files. */
async function learned(t: TestContext, text: string, settings: Partial<TrainSettings>) {
  const place = await workplace(t, text);
  await trained(smallRun(place, { steps: 30, learningRate: 0.02, ...settings }));
  let files = 0;
  const fileOf = async (content: string) => {
    const file = path.join(path.dirname(place.text), `other-${++files}.txt`);
    await writeFile(file, content);
    return file;
  };
  return { checkpoint: await loadCheckpoint("run", place), fileOf };
}

async function texts(checkpoint: Checkpoint, settings: SampleSettings): Promise<string[]> {
  const found: string[] = [];
  for await (const characters of sample(checkpoint, settings)) {
    for (const [k, character] of characters.entries()) found[k] = (found[k] ?? "") + character;
  }
  return found;
}
