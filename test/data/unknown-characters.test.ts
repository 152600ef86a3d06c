import assert from "node:assert/strict";
import { test } from "node:test";
import { knownPart } from "#src/data/known-part.js";
import { prepareText } from "#src/data/prepare-text.js";
import { readTexts } from "#src/data/texts.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { slow } from "../helpers/slow.js";
import { abortedAfterTurns, tickingClock, turnsDuring } from "../helpers/turns.js";

function vocabularyOf(characters: string, options?: { unknown: boolean }): Vocabulary {
  return Vocabulary.fromCodePoints(
    Array.from(characters, (it) => it.codePointAt(0) as number),
    options,
  );
}

async function textOf(written: string) {
  const stdin = (async function* () {
    yield Buffer.from(written);
  })();
  const { texts } = await readTexts(
    ["-"],
    { encoding: "utf-8", rewriting: undefined, joined: true },
    { stdin },
  );
  return texts[0];
}

/** What is written, the characters that a model knows, and what they are read as. */
const MAPPED: [why: string, written: string, known: string, read: string][] = [
  ["an accent is left out", "café", "acef", "cafe"],
  ["an accent of its own is left out", "cafe\u0301", "acef", "cafe"],
  ["a composed letter is taken for one with its accent apart", "é", "e\u0301", "e\u0301"],
  ["a letter with its accent apart is taken for the composed one", "e\u0301", "ée", "é"],
  ["a Korean syllable is taken for its letters", "한", "\u1112\u1161\u11ab", "\u1112\u1161\u11ab"],
  ["the letters of a Korean syllable are taken for it", "\u1112\u1161\u11ab", "한", "한"],
  ["the other case is taken", "AbÉ", "abé", "abé"],
  ["the other case of a letter with its accent apart is taken", "E\u0301", "é", "é"],
  ["the other normal form comes before the other case", "É", "éE\u0301", "E\u0301"],
  ["a letter without accent comes after the other normal form", "é", "ae\u0301", "e\u0301"],
  ["quotes and dashes are taken for those that are typed", "‘a’ — “b”", "'\"-ab ", "'a' - \"b\""],
  ["typed quotes are taken for those of a typographer", "'a'", "a’", "’a’"],
  ["a ligature is taken for its letters", "ﬁn…", "fin.", "fin..."],
  ["a space is taken for another", "a\u00a0b\u2009c", "abc ", "a b c"],
  ["line ends are taken for newlines", "a\r\nb\rc\u2028d", "abcd\n", "a\nb\nc\nd"],
  ["what is known stays", "é e\u0301 É", "ée\u0301É ", "é e\u0301 É"],
];

for (const [why, written, known, read] of MAPPED) {
  test(`of characters that a model does not know ${why}`, async () => {
    const vocabulary = vocabularyOf(known);
    const prepared = await prepareText(written, { vocabulary }, "map");
    assert.equal(prepared.text, read);
    const { tokens, positions } = await knownPart(await textOf(written), { vocabulary }, "map");
    assert.equal(vocabulary.decode(tokens), read);
    if (positions) assert.equal(positions.length, tokens.length);
  });
}

test("tokens of a mapped text say which character they come from", async () => {
  const vocabulary = vocabularyOf("ae\u0301.fi");
  const { tokens, positions, mapped, mappings } = await knownPart(
    await textOf("aéaﬁ…e\u0301"),
    { vocabulary },
    "map",
  );
  assert.equal(vocabulary.decode(tokens), "ae\u0301afi...e\u0301");
  assert.deepEqual([...(positions ?? [])], [0, 1, 1, 2, 3, 3, 4, 4, 4, 5, 6]);
  assert.equal(mapped, 3);
  assert.deepEqual(mappings, ['"é" as "e" and "\u25cc\u0301"', '"ﬁ" as "fi"', '"…" as "..."']);
});

test("every mapping is told once, and how many characters it was for", async () => {
  const { mapped, mappings } = await prepareText(
    "éEéÉ’’",
    { vocabulary: vocabularyOf("e'") },
    "map",
  );
  assert.equal(mapped, 6);
  assert.deepEqual(mappings, ['"é" as "e"', '"E" as "e"', '"É" as "e"', `"’" as "'"`]);
});

test("nothing but a line end is mapped to a newline", async () => {
  const vocabulary = vocabularyOf("\n");
  const lineEnds = new Set([0x0a, 0x0d, 0x85, 0x2028, 0x2029]);
  for (let codePoint = 0; codePoint < 0x3100; codePoint++) {
    const mapped = prepareText(String.fromCodePoint(codePoint), { vocabulary }, "map");
    if (lineEnds.has(codePoint)) assert.equal((await mapped).text, "\n");
    else
      await assert.rejects(mapped, failsWith("UNKNOWN_CHARACTER"), `U+${codePoint.toString(16)}`);
  }
});

test("a character that nothing stands for is an error that says so, with its place and what is known", async () => {
  const vocabulary = vocabularyOf("abc\n");
  const refused = failsWith(
    "UNKNOWN_CHARACTER",
    '"語" (U+8A9E), tab (U+0009), and none like them; the first is at line 2, column 2',
    "The model knows 4 characters: a-c newline.",
    "`unknown: skip`",
  );
  await assert.rejects(prepareText("Á\na語\tA", { vocabulary }, "map"), refused);
  await assert.rejects(knownPart(await textOf("Á\na語\tA"), { vocabulary }, "map"), refused);
});

test("a prompt with unknown characters is an error, or loses them", async () => {
  const vocabulary = vocabularyOf("abc ");
  await assert.rejects(
    prepareText("ab Á", { vocabulary }, "error"),
    failsWith(
      "UNKNOWN_CHARACTER",
      '"Á" (U+00C1), at line 1, column 4',
      'It knows "a" for "Á" (without its accent). `unknown: map` reads these in their place.',
    ),
  );
  assert.deepEqual(await prepareText("aÉ bÉ語", { vocabulary }, "skip"), {
    text: "a b",
    skipped: 3,
    skippedCharacters: ['"É" (U+00C9)', '"語" (U+8A9E)'],
    mapped: 0,
    mappings: [],
  });
});

test("a vocabulary with an unknown character reads as that one what nothing stands for", async () => {
  const vocabulary = vocabularyOf("abc", { unknown: true });
  const written = "áb語";
  assert.equal((await prepareText(written, { vocabulary }, "map")).text, "ab語");
  for (const unknown of ["error", "skip"] as const) {
    assert.equal((await prepareText(written, { vocabulary }, unknown)).text, written);
  }
  const known = await knownPart(await textOf(written), { vocabulary }, "map");
  assert.equal(vocabulary.decode(known.tokens), "ab\ufffd");
  assert.deepEqual(
    [known.mapped, known.unknown, known.unknownCodePoints],
    [1, 1, ["語".codePointAt(0)]],
  );
});

test("whatever is mapped can be encoded, and what is known stays as it is", async () => {
  const anyText = fc.string({ unit: "binary", maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      anyText,
      fc.string({ unit: "grapheme", minLength: 1 }),
      async (written, known) => {
        const vocabulary = vocabularyOf(known);
        assert.equal((await prepareText(known, { vocabulary }, "map")).text, known);
        const prepared = await prepareText(written, { vocabulary }, "map").catch((error) => {
          assert.equal(error.code, "UNKNOWN_CHARACTER");
        });
        if (prepared) vocabulary.encode(prepared.text);
      },
    ),
  );
});

slow("a long text is mapped with turns for others, and the signal ends it", async (t) => {
  const vocabulary = vocabularyOf("e'");
  const long = "é’".repeat(500_000);
  const text = await textOf(long);
  const works = [
    (signal?: AbortSignal) => prepareText(long, { vocabulary }, "map", signal),
    (signal?: AbortSignal) => knownPart(text, { vocabulary }, "map", signal),
  ];
  tickingClock(t);
  for (const work of works) {
    const turns = await turnsDuring(work);
    assert.ok(turns > 1, `${turns} turns`);
    const stop = new Error("stop");
    await assert.rejects(work(abortedAfterTurns(1, stop)), stop);
  }
});
