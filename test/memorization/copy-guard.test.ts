import assert from "node:assert/strict";
import { test } from "node:test";
import { readTexts } from "#src/data/texts.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { CopyGuard } from "#src/memorization/copy-guard.js";
import fc from "../helpers/fast-check.js";

const vocabulary = Vocabulary.fromCodePoints(Array.from("abcd", (test) => test.charCodeAt(0)));

async function openCopyGuard(text: string, most: number): Promise<CopyGuard> {
  const stdin = (async function* () {
    yield Buffer.from(text);
  })();
  const { texts } = await readTexts(
    ["-"],
    { encoding: "utf-8", rewriting: undefined, joined: true },
    { stdin: stdin },
  );
  return CopyGuard.of(texts[0], vocabulary, most);
}

const letters = (most: number) =>
  fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: most, size: "max" });
// The text has a letter that the model does not know.
const texts = fc.string({ unit: fc.constantFrom("a", "b", "c", "x"), maxLength: 200, size: "max" });

test("The guard against copies marks the characters that would copy too much, and no others", async () => {
  const property = fc.asyncProperty(
    texts,
    letters(12),
    fc.integer({ min: 1, max: 5 }),
    async (text, written, most) => {
      const guard = await openCopyGuard(text, most);
      const isCopy = new Uint8Array(vocabulary.size);
      guard.mark([...vocabulary.encode(written)], isCopy);
      const expected = Array.from("abcd", (next) => {
        const end = written.slice(-most) + next;
        return end.length > most && text.includes(end) ? 1 : 0;
      });
      assert.deepEqual([...isCopy], expected);
    },
  );
  await fc.assert(property, { numRuns: 500 });
});

test("The guard against copies works with a text that repeats itself over and over", async () => {
  const guard = await openCopyGuard("ab".repeat(300_000), 8);
  const isCopy = new Uint8Array(vocabulary.size);
  guard.mark([...vocabulary.encode("babababab")], isCopy);
  assert.deepEqual([...isCopy], [1, 0, 0, 0]);
});
