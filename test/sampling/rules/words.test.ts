import assert from "node:assert/strict";
import { test } from "node:test";
import { readTexts } from "#src/data/texts.js";
import { WordList } from "#src/sampling/rules/word-list.js";
import { wordRule } from "#src/sampling/rules/words.js";
import { failsWith } from "../../helpers/failure.js";
import { vocabularyOf, writeByRules } from "../../helpers/rules.js";

const vocabulary = vocabularyOf("abcdet' ,\n");
const WORD = /[\p{L}\p{M}\p{N}]+(?:['\u2019][\p{L}\p{M}\p{N}]+)*/gu;

async function wordsOf(text: string, characters = vocabulary) {
  const stdin = (async function* () {
    yield Buffer.from(text);
  })();
  const { texts } = await readTexts(
    ["-"],
    { encoding: "utf-8", rewriting: undefined, joined: true },
    { stdin },
  );
  return wordRule(await WordList.of(texts, characters, undefined), characters);
}

const TEXT = "cat, bat 'bad' can't\nadded bee' tea'at 'tee";

test("Only words of the list are written, the last of them in full, and each of them can be", async () => {
  const rule = await wordsOf(TEXT);
  const listed = new Set(TEXT.match(WORD));
  // The model does not know n.
  listed.delete("can't");
  const seen = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    for (const length of [1, 4, 25]) {
      const text = writeByRules(vocabulary, [rule], { length, seed });
      assert.equal(text.length, length);
      for (const word of text.match(WORD) ?? []) {
        assert.ok(listed.has(word), `${JSON.stringify(text)} has ${word}`);
        seen.add(word);
      }
    }
  }
  assert.deepEqual([...seen].sort(), [...listed].sort());
});

test("A word that the prompt has begun is completed to one of the list, or freely where none begins so", async () => {
  const rule = await wordsOf(TEXT);
  for (let seed = 0; seed < 50; seed++) {
    const completed = writeByRules(vocabulary, [rule], { prompt: "a cat, ad", length: 8, seed });
    assert.match(completed, /^ded(?![abcdet])/);
    const unknown = writeByRules(vocabulary, [rule], {
      prompt: "zzz".replaceAll("z", "d"),
      length: 30,
      seed,
    });
    const [, ...after] = `ddd${unknown}`.match(WORD) ?? [];
    for (const word of after) assert.ok(TEXT.match(WORD)?.includes(word), unknown);
  }
});

test("A list without a word that the model can spell is refused", async () => {
  await assert.rejects(wordsOf("x y z"), failsWith("INVALID_SETTING", /^words/));
  await assert.rejects(wordsOf(", ' ,"), failsWith("INVALID_SETTING", /^words/));
});
