/** What is asked of a text that no text of the model can have. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Checkpoint, loadCheckpoint, type SampleSettings, sample } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

test("An end that the limits never let come is refused", async (t) => {
  const checkpoint = await learned(t);
  for (const [settings, message] of [
    [
      { stop: ["day."], forbid: "." },
      /^stop "day\." can't come: `forbid: "\."` leaves out the character "\."/,
    ],
    [{ stop: ["L"], allow: "a-z" }, /^stop "L" can't come: /],
    [{ lines: 2, forbid: "\\n" }, /^lines can't be counted: `forbid: .*` leaves out line breaks\./],
    [{ lines: 2, allow: "a-z" }, /^lines can't be counted: `allow: "a-z"` leaves out/],
    [{ sentences: 1, forbid: ".!?" }, /^sentences can't be counted: /],
    [{ sentences: 1, allow: "a-z." }, /^sentences can't be counted: /],
  ] as const) {
    await assert.rejects(write(checkpoint, settings), failsWith("INVALID_SETTING", message));
    await assert.rejects(
      write(checkpoint, { ...settings, length: -1 }),
      failsWith("INVALID_SETTING", message),
    );
  }
  const [text] = await write(checkpoint, { stop: ["."], forbid: "a", length: 60 });
  assert.ok(text.length > 0 && !text.includes("a"));
});

test("A backslash and an n that were typed for a newline get a hint", async (t) => {
  const checkpoint = await learned(t);
  await assert.rejects(
    write(checkpoint, { stop: ["\\n"] }),
    failsWith("INVALID_SETTING", /^stop .* can't come: /, /\$'\\n'/),
  );
});

test("A word to include that no text can contain is refused before any is written", async (t) => {
  const checkpoint = await learned(t);
  for (const [settings, message] of [
    [
      { include: ["th", "é"] },
      /^include "é" can't come: the model does not know the character "é"\./,
    ],
    [
      { include: ["day"], forbid: "y" },
      /^include "day" can't come: `forbid: "y"` leaves out the character "y"\./,
    ],
    [
      { include: ["summer"], length: 5 },
      /^include "summer" can't come: it has 6 characters, and 5 are to be written\./,
    ],
  ] as const) {
    await assert.rejects(write(checkpoint, settings), failsWith("INVALID_SETTING", message));
  }
});

test("Texts that are always the same are not written again and again to be chosen from", async (t) => {
  const checkpoint = await learned(t);
  for (const choice of [{ unique: true, count: 2 }, { include: ["th"] }]) {
    for (const same of [{ temperature: 0 }, { temperature: [0, 0] }, { topK: 1 }]) {
      await assert.rejects(
        write(checkpoint, { ...choice, ...same, length: 20 }),
        failsWith("INVALID_SETTING", /^(unique|include) does nothing where every text is the same/),
      );
    }
  }
});

async function learned(t: TestContext): Promise<Checkpoint> {
  const place = await workplace(t, "the summer day. a lovely sun!\nL is he.\n".repeat(30));
  await trained(smallRun(place, { steps: 20 }));
  return loadCheckpoint("run", place);
}

async function write(checkpoint: Checkpoint, settings: SampleSettings): Promise<string[]> {
  const texts: string[] = [];
  for await (const characters of sample(checkpoint, settings)) {
    for (const [k, character] of characters.entries()) {
      texts[k] = (texts[k] ?? "") + character;
      // A text without end must not hold up the tests.
      if (texts[k].length > 5000) throw new Error("The text does not end.");
    }
  }
  return texts;
}
