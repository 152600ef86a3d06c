import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { documentBatchShape } from "#src/data/batch-shape.js";
import { countDocuments } from "#src/data/documents.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import {
  evaluateTexts,
  loadCheckpoint,
  sample,
  scoreTexts,
  type TrainSettings,
} from "#src/index.js";
import { dropoutFor } from "#src/planning/presets.js";
import { failsWith } from "../helpers/failure.js";
import { slow } from "../helpers/slow.js";
import {
  afterStep,
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

/** Verses that each begin with `(` and end with `)`. */
const VERSES = Array.from({ length: 60 }, (_, k) => {
  const words = inventedText(20 + (k % 7) * 5, k).trim();
  return `(${words})`;
});

/** The same verses, written in each way in which they can be told apart. */
async function versesAs(t: TestContext, documents: string): Promise<Workplace> {
  if (documents !== "files") {
    return workplace(t, VERSES.join(documents === "paragraphs" ? "\n\n" : documents));
  }
  const place = await workplace(t, "");
  const folder = path.join(path.dirname(place.text), "verses");
  await mkdir(folder);
  for (const [k, verse] of VERSES.entries()) {
    await writeFile(path.join(folder, `${String(k).padStart(2, "0")}.txt`), `${verse}\n`);
  }
  return { ...place, text: folder };
}

const KINDS = ["paragraphs", "files", "\n<|endoftext|>\n"];
const SETTINGS: Partial<TrainSettings> = { steps: 300, learningRate: 0.02, hiddenSize: 32 };

async function writtenBy(place: Workplace, settings: Parameters<typeof sample>[1]) {
  const texts: string[] = [];
  for await (const characters of sample(await loadCheckpoint("run", place), settings)) {
    for (const [k, character] of characters.entries()) texts[k] = (texts[k] ?? "") + character;
  }
  return texts;
}

slow("documents are learned in the same way however they are divided", async (t) => {
  const weights: Buffer[] = [];
  for (const documents of KINDS) {
    const place = await versesAs(t, documents);
    await trained(smallRun(place, { ...SETTINGS, steps: 30, documents }));
    const { config, tensors } = await loadCheckpoint("run", place);
    assert.equal(config.text.documents, documents);
    const data = tensors.get("rnn.weight_hh_l0")?.data;
    assert.ok(data);
    weights.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
  for (const other of weights.slice(1)) assert.deepEqual(other, weights[0]);
});

slow("a model of documents writes texts that begin and end as they do", async (t) => {
  const place = await versesAs(t, "paragraphs");
  const events = await trained(smallRun(place, { ...SETTINGS, documents: "paragraphs" }));
  const texts = await writtenBy(place, { count: 20, length: 300, backend: "wasm" });
  for (const text of texts) assert.match(text, /^\([^()]*\)$/);
  const last = only(events, "sample").at(-1)?.text;
  assert.match(last ?? "", /^\([^()]*\)\n\n\([^()]*\)$/);
  const [goingOn] = await writtenBy(place, { seed: "(lo", length: 300, backend: "wasm" });
  assert.match(goingOn, /^[^()]*\)$/);
  const limits = { match: "\\([a-z]+ [a-z]+\\)", allow: "a-z ()", length: 300 };
  const limited = await writtenBy(place, { ...limits, count: 5, backend: "wasm" });
  for (const text of limited) assert.match(text, /^\([a-z]+ [a-z]+\)$/);
});

slow("a run of documents that is resumed ends with the bytes of one that was not", async (t) => {
  for (const documents of KINDS.slice(0, 2)) {
    const place = await versesAs(t, documents);
    const settings = { documents, steps: 40, test: 0.1, randomSeed: 3 };
    await trained(smallRun(place, { ...settings, name: "whole" }));
    await trained(smallRun(place, { ...settings, name: "cut" }), afterStep(17));
    const { out, text } = place;
    await trained({ files: [text], out, name: "cut", resume: true, backend: "wasm" });
    const [whole, cut] = await Promise.all(
      ["whole", "cut"].map((name) => fileOf(place, name, "last.safetensors")),
    );
    assert.ok(whole.equals(cut), documents);
  }
});

slow("other texts are read as documents, in whose order nothing is", async (t) => {
  const place = await versesAs(t, "paragraphs");
  await trained(smallRun(place, { ...SETTINGS, steps: 60, documents: "paragraphs" }));
  const checkpoint = await loadCheckpoint("run", place);
  const lossOf = async (verses: readonly string[], between: string) => {
    const { text } = await workplace(t, verses.join(between));
    for await (const score of evaluateTexts(checkpoint, { files: [text], backend: "wasm" })) {
      return score;
    }
    throw new Error("no score");
  };
  const some = VERSES.slice(0, 12);
  const score = await lossOf(some, "\n\n");
  assert.equal(score.characters, some.join("").length + some.length);
  const turned = await lossOf(some.toReversed(), "\n\n \n");
  assert.ok(Math.abs(turned.loss - score.loss) < 1e-6, `${turned.loss} against ${score.loss}`);

  const { text } = await workplace(t, some.slice(0, 2).join("\n\n"));
  const settings = { files: [text], backend: "wasm" as const };
  for await (const { whole, lines } of scoreTexts([checkpoint], settings)) {
    const bits = [...lines()].map((line) => line.bits);
    assert.ok(bits.flat().every((it) => it !== null));
    assert.deepEqual([whole.unknown, bits.length > 2], [0, true]);
  }
});

test("a separator that the text does not have is refused before there is a run", async (t) => {
  const place = await workplace(t);
  await assert.rejects(
    trained(smallRun(place, { steps: 1, documents: "paragraph" })),
    failsWith("INVALID_SETTING", '"paragraph"', "paragraphs"),
  );
});

test("a run that begins with a model of documents does not write their ends into running text", async (t) => {
  const place = await versesAs(t, "paragraphs");
  await trained(smallRun(place, { steps: 20, documents: "paragraphs", name: "base" }));
  const events = await trained(smallRun(place, { steps: 2, initFrom: "base" }));
  assert.equal(endOf(events).step, 2);
  const { vocabulary } = await loadCheckpoint("run", place);
  assert.notEqual(vocabulary.documentEnd, undefined);
  const [text] = await writtenBy(place, { length: 400, temperature: 3, backend: "wasm" });
  assert.equal(text.length, 400);
});

test("a text that looks like a list is said to be one, with the option that reads it so", async (t) => {
  const names = Array.from({ length: 400 }, (_, k) => `Anna Bo${k}`);
  const warningsOf = async (text: string, settings: Partial<TrainSettings> = {}) => {
    const events = await trained(smallRun(await workplace(t, text), { steps: 1, ...settings }));
    return only(events, "warning")
      .map(({ message }) => message)
      .filter((it) => /looks like a list/.test(it));
  };
  const [note] = await warningsOf(names.join("\n"));
  assert.match(note, /^The text looks like a list: 3\d\d short lines .* `documents: lines`/);
  for (const text of [
    names.slice(0, 150).join("\n"),
    names.join("\n\n"),
    names.map((name) => `${name} went home`).join("\n"),
    names.map((name) => `${name},`).join("\n"),
    inventedText(20_000),
  ]) {
    assert.deepEqual(await warningsOf(text), [], text.slice(0, 20));
  }
  assert.deepEqual(await warningsOf(names.join("\n"), { documents: "lines" }), []);
});

test("Dropout for lines follows the passes over them, although their windows are not full", async (t) => {
  const names = Array.from({ length: 900 }, (_, k) => inventedText(5, k).slice(0, 3));
  const place = await workplace(t, `${names.join("\n")}\n`);
  const settings = { documents: "lines", steps: 500, ngramOrder: 2, dropout: undefined };
  const [start] = only(await trained(smallRun(place, settings), afterStep(1)), "start");
  const { model, text, training } = start.config;
  const epochs = 500 / start.stepsPerEpoch;
  assert.ok(epochs > 1.5 && epochs < 4, `${epochs}`);
  const { ngramDropout } = dropoutFor(model, { characters: text.trainCharacters, epochs });
  assert.equal(training.ngramDropout, ngramDropout);
  assert.ok(ngramDropout && ngramDropout < 0.2, `${ngramDropout}`);
});

test("A part of a text has as many documents as ends of them, and running text has none", () => {
  const vocabulary = Vocabulary.fromJSON(["\n", "a", "b"]);
  const tokens = vocabulary.encode("a\nbab\nab\n");
  assert.equal(countDocuments(tokens, { documents: "lines", vocabulary }), 3);
  assert.equal(countDocuments(tokens, { documents: undefined, vocabulary }), 0);
});

test("A batch of short lines has more rows by default, so that a step reads half of what one of running text does", async (t) => {
  const names = Array.from({ length: 900 }, (_, k) => inventedText(5, k).slice(0, 3));
  const place = await workplace(t, `${names.join("\n")}\n`);
  const batchSizeOf = async (settings: Partial<TrainSettings>, name: string) => {
    const run = { ...smallRun(place, { documents: "lines", name, ...settings }), seqLength: 64 };
    const [start] = only(await trained(run, afterStep(1)), "start");
    return start.config.training.batchSize;
  };
  // `tiny` has 16 rows; a name and its end are 4 characters, a sixteenth of a window.
  assert.equal(await batchSizeOf({ batchSize: undefined }, "default"), 128);
  assert.equal(await batchSizeOf({ batchSize: 16 }, "asked"), 16);
});

test("A batch of documents has the usual number of rows where they are long or few", () => {
  const usual = { batchSize: 32, seqLength: 64 };
  const rowsOf = (count: number, length: number) =>
    documentBatchShape(count * length, count, {}, usual).batchSize;
  assert.equal(rowsOf(10_000, 8), 128);
  assert.equal(rowsOf(10_000, 33), 32);
  assert.equal(rowsOf(10_000, 500), 32);
  assert.equal(rowsOf(100, 8), 64);
  assert.equal(rowsOf(3, 2), 32);
});
