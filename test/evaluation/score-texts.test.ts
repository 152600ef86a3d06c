import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Checkpoint, loadCheckpoint, scoreTexts, type TrainSettings } from "#src/index.js";
import { predictions } from "../helpers/defined-model.js";
import { failsWith } from "../helpers/failure.js";
import { assertClose } from "../helpers/numbers.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

async function trainedModel(t: TestContext, settings: Partial<TrainSettings> = {}, text?: string) {
  const place = await workplace(t, text);
  await trained(smallRun(place, { steps: 30, learningRate: 0.02, ...settings }));
  return { place, checkpoint: await loadCheckpoint("run", place) };
}

async function scored(
  t: TestContext,
  checkpoints: readonly Checkpoint[],
  text: string,
  settings: Partial<Parameters<typeof scoreTexts>[1]> = {},
) {
  const { text: file } = await workplace(t, text);
  const all = { files: [file], backend: "wasm" as const, ...settings };
  const texts = [];
  for await (const { name, whole, lines } of scoreTexts(checkpoints, all)) {
    assert.equal(name, file);
    texts.push({ whole, lines: [...lines()] });
  }
  assert.equal(texts.length, 1);
  return texts[0];
}

/** Bits of every character but the first. */
function bitsOf({ config, tensors, vocabulary }: Checkpoint, text: string): number[] {
  const { losses } = predictions(config.model, tensors, vocabulary.encode(text));
  return losses.map((loss) => loss / Math.LN2);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test("The surprisal of a text is that of each character given all before it, starting after a newline", async (t) => {
  const { checkpoint } = await trainedModel(t);
  const text = inventedText(300, 5);
  const { whole, lines } = await scored(t, [checkpoint], text);
  const expected = bitsOf(checkpoint, `\n${text}`);
  assert.equal(lines.map((line) => `${line.text}\n`).join(""), text);
  assert.deepEqual(
    lines.map(({ line }) => line),
    lines.map((_, index) => index + 1),
  );
  let start = 0;
  for (const { text: line, bits, bitsPerCharacter, characters, unknown } of lines) {
    const own = expected.slice(start, start + line.length);
    assert.deepEqual([characters, unknown], [line.length, 0]);
    assertClose(bits.map(Number), own, 1e-5, "bits");
    if (line.length > 0) assertClose([bitsPerCharacter ?? 0], [mean(own)], 1e-5, "mean");
    else assert.equal(bitsPerCharacter, null);
    start += line.length + 1;
  }
  assertClose([whole.bitsPerCharacter ?? 0], [mean(expected)], 1e-5, "of the whole");
  assert.equal(whole.characters, text.length);
});

test("The surprisal of a text scored line by line starts afresh at each line", async (t) => {
  const { checkpoint } = await trainedModel(t);
  const { lines } = await scored(t, [checkpoint], "lo ra\n\nin sum\nlo ra", { fresh: true });
  for (const { text, bits } of lines) {
    if (text === "") continue;
    assertClose(bits.map(Number), bitsOf(checkpoint, `\n${text}`), 1e-5, "bits");
  }
  assert.deepEqual(lines[0].bits, lines[3].bits);
  assert.deepEqual(
    lines.map(({ text }) => text),
    ["lo ra", "", "in sum", "lo ra"],
  );
});

test("The surprisal of a text is the same where the model was trained on lines", async (t) => {
  const { checkpoint } = await trainedModel(t, { documents: "lines" });
  const { lines } = await scored(t, [checkpoint], "lo ra\nin sum");
  for (const { text, bits } of lines) {
    assertClose(bits.map(Number), bitsOf(checkpoint, `\n${text}`), 1e-5, "bits");
  }
});

test("The surprisal of a text leaves out and counts unknown characters, or is refused because of them", async (t) => {
  const { checkpoint } = await trainedModel(t);
  const { whole, lines } = await scored(t, [checkpoint], "léo rä\nÜÜ\nin", {
    unknown: "skip",
  });
  const without = bitsOf(checkpoint, "\nlo r\n\nin");
  assert.deepEqual(
    lines.map(({ unknown, characters }) => [unknown, characters]),
    [
      [2, 6],
      [2, 2],
      [0, 2],
    ],
  );
  assert.deepEqual(
    lines[0].bits.map((bits) => bits === null),
    [false, true, false, false, false, true],
  );
  assertClose([lines[0].bitsPerCharacter ?? 0], [mean(without.slice(0, 4))], 1e-5, "first line");
  assert.equal(lines[1].bitsPerCharacter, null);
  assertClose([lines[2].bitsPerCharacter ?? 0], [mean(without.slice(6, 8))], 1e-5, "last line");
  assert.equal(whole.unknown, 4);
  await assert.rejects(
    scored(t, [checkpoint], "lo\nré"),
    failsWith("UNKNOWN_CHARACTER", "é", "line 2, column 2"),
  );
});

test("The surprisal of a text takes all first characters as equally likely where the model knows no newline", async (t) => {
  const { checkpoint } = await trainedModel(t, {}, inventedText(700).replaceAll("\n", " "));
  const { lines } = await scored(t, [checkpoint], "lo ra");
  const [first, ...rest] = lines[0].bits.map(Number);
  assertClose([first], [Math.log2(checkpoint.vocabulary.size)], 1e-6, "first");
  assertClose(rest, bitsOf(checkpoint, "lo ra"), 1e-5, "the others");
  await assert.rejects(
    scored(t, [checkpoint], "lo ra", { fresh: true }),
    failsWith("BAD_TEXT", "knows no newline"),
  );
});

test("The surprisal of a text is empty for a text without any known character", async (t) => {
  const { checkpoint } = await trainedModel(t);
  const { whole } = await scored(t, [checkpoint], "ÄÖÜ", { unknown: "skip" });
  assert.deepEqual([whole.unknown, whole.bitsPerCharacter], [3, null]);
  const before = undisposed();
  const nothing = await scored(t, [checkpoint], "");
  assert.deepEqual([nothing.lines, nothing.whole.characters], [[], 0]);
  assert.equal(undisposed(), before);
});

test("The choice of the model that fits a text best counts unknown characters as improbable, and does not leave them out", async (t) => {
  const digits = Array.from({ length: 400 }, (_, i) => `${i % 7} ${(i * 3) % 10}\n`).join("");
  const [letters, numbers] = [
    (await trainedModel(t)).checkpoint,
    (await trainedModel(t, {}, digits)).checkpoint,
  ];
  const { lines } = await scored(t, [letters, numbers], "lo ra in sum\n4 2 7\nlo 3", {
    unknown: "skip",
  });
  const best = lines.map(({ byModel: [first, second] }) => Number(first) < Number(second));
  assert.deepEqual(best.slice(0, 2), [true, false]);
  const unknown = Math.log2(letters.config.text.trainCharacters + 2);
  const own = lines[1].bits.filter((bits) => bits !== null);
  const expected = (own.reduce((sum, bits) => sum + bits, 0) + 3 * unknown) / 5;
  assertClose([lines[1].byModel[0] ?? 0], [expected], 1e-6, "with what is unknown");
});

test("The surprisal of a text in which characters are mapped is that of those that stand for them", async (t) => {
  const { checkpoint } = await trainedModel(t, {}, `${inventedText(700)}...\n`);
  const { whole, lines } = await scored(t, [checkpoint], "lo ŕa\u0301\n…ÄU", { unknown: "map" });
  const read = bitsOf(checkpoint, "\nlo ra\n...au");
  const [first, second] = lines;
  assertClose(first.bits.map(Number), [...read.slice(0, 5), 0], 1e-5, "bits");
  const three = read[6] + read[7] + read[8];
  assertClose(second.bits.map(Number), [three, ...read.slice(9)], 1e-5, "of three characters");
  assert.deepEqual([first.unknown, first.mapped, second.unknown, second.mapped], [2, 2, 3, 3]);
  assert.deepEqual([whole.unknown, whole.mapped], [5, 5]);
  assertClose([whole.bitsPerCharacter ?? 0], [mean(read) * (read.length / 10)], 1e-5, "mean");
  const unknown = Math.log2(checkpoint.config.text.trainCharacters + 2);
  const known = read.slice(0, 3).reduce((sum, bits) => sum + bits, 0) + read[4] + read[5];
  assertClose([whole.byModel[0] ?? 0], [(known + 5 * unknown) / 10], 1e-5, "to compare with");
});
