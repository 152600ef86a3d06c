import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type CorpusSettings, loadCorpus } from "#src/data/corpus.js";
import { knownPart } from "#src/data/known-part.js";
import { TextRewriter } from "#src/data/text-rewriter.js";
import { readTexts } from "#src/data/texts.js";
import { type Tokens, Vocabulary } from "#src/data/vocabulary.js";
import { DOCUMENT_END } from "#src/text.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { temporaryFolder } from "../helpers/folder.js";

function codePointsOf(text: string): number[] {
  return Array.from(text, (it) => it.codePointAt(0) as number);
}

/** What becomes of files, with `|` where a document ends; they come in chunks of this length. */
function divided(files: readonly string[], documents: string, chunk = 1000): string {
  const rewriter = TextRewriter.for({ documents });
  assert.ok(rewriter);
  let result = "";
  const add = (codePoints: Int32Array) => {
    for (const it of codePoints) result += it === DOCUMENT_END ? "|" : String.fromCodePoint(it);
  };
  for (const file of files) {
    const codePoints = codePointsOf(file);
    for (let start = 0; start < codePoints.length; start += chunk) {
      add(rewriter.rewrite(Int32Array.from(codePoints.slice(start, start + chunk))));
    }
    add(rewriter.endFile());
  }
  return result;
}

const CASES: [documents: string, files: string[], result: string][] = [
  ["paragraphs", ["one\ntwo\n\nthree\n"], "one\ntwo|three|"],
  ["paragraphs", ["\n\none\n\n\n\ntwo\n\n"], "one|two|"],
  ["paragraphs", ["one\n \t\ntwo"], "one|two|"],
  ["paragraphs", ["one\n\n  two\n  three\n"], "one|  two\n  three|"],
  ["paragraphs", ["   \n\n  one \n\ntwo"], "  one |two|"],
  ["paragraphs", ["one\n", "two"], "one|two|"],
  ["paragraphs", ["\n \n", ""], ""],
  ["paragraphs", ["one\r\n\r\ntwo"], "one\r|two|"],
  ["files", ["\none\n\ntwo\n\n", "three", "\n"], "one\n\ntwo|three|"],
  ["<end>", ["one<end>two\n<end>\nthree<end>"], "one|two|three|"],
  ["<end>", ["one\n\ntwo<en>d<end"], "one\n\ntwo<en>d<end|"],
  ["<end>", ["<end><end>\n<end>one"], "one|"],
  ["<end>", ["one<", "end>two"], "one<|end>two|"],
  ["aab", ["aaab-aabaab-aa"], "a|-|-aa|"],
  ["\n%\n", ["one\n%\ntwo\n100%\n"], "one|two\n100%|"],
];

for (const [documents, files, result] of CASES) {
  test(`${JSON.stringify(files)} divided by ${JSON.stringify(documents)} is ${result}`, () => {
    for (const chunk of [1000, 1, 2]) assert.equal(divided(files, documents, chunk), result);
  });
}

test("a separator is found wherever it is, as splitting a string finds it", () => {
  const few = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 40 });
  fc.assert(
    fc.property(text, few, fc.integer({ min: 1, max: 7 }), (written, separator, chunk) => {
      const expected = written.split(separator).filter((it) => it !== "");
      assert.equal(divided([written], separator, chunk), expected.map((it) => `${it}|`).join(""));
    }),
  );
});

async function corpusOf(
  t: TestContext,
  texts: Readonly<Record<string, string>>,
  settings: Partial<CorpusSettings>,
) {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(texts)) await writeFile(path.join(folder, name), text);
  const files = Object.keys(texts).map((name) => path.join(folder, name));
  return loadCorpus({ files, validation: 0, test: 0, encoding: "utf-8", ...settings });
}

/** Tokens as text, with `|` where a document ends. */
function shown(tokens: Tokens, vocabulary: Vocabulary): string {
  return Array.from(tokens, (token) =>
    token === vocabulary.documentEnd ? "|" : vocabulary.characterAt(token),
  ).join("");
}

test("paragraphs of a corpus end by a token of their own, and are dealt whole to its parts", async (t) => {
  const paragraphs = Array.from({ length: 40 }, (_, k) => `verse ${k}\nof a song`);
  const corpus = await corpusOf(
    t,
    { song: paragraphs.join("\n\n") },
    { documents: "paragraphs", split: "random", validation: 0.2, test: 0.1 },
  );
  const parts = [corpus.train, corpus.validation, corpus.test].map(({ tokens }) =>
    shown(tokens, corpus.vocabulary).split("|").slice(0, -1),
  );
  assert.deepEqual(new Set(parts.flat()), new Set(paragraphs));
  assert.deepEqual(
    parts.map(({ length }) => length),
    [28, 8, 4],
  );
  assert.notDeepEqual(parts[0], paragraphs.slice(0, 28));
});

test("files of a corpus are its documents, and no newline is added to them", async (t) => {
  const { train, vocabulary } = await corpusOf(
    t,
    { a: "one\ntwo", b: "\n\nthree\n" },
    {
      documents: "files",
    },
  );
  assert.equal(shown(train.tokens, vocabulary), "one\ntwo|three|");
});

test("a separator that a text does not have is refused, and what a text can be divided by is said", async (t) => {
  await assert.rejects(
    corpusOf(t, { a: "one\ntwo" }, { documents: "line" }),
    failsWith("INVALID_SETTING", 'documents "line"', "lines, paragraphs or files"),
  );
});

test("the end of a document is kept in a vocabulary's JSON, is never a character, and can't be typed", () => {
  const vocabulary = Vocabulary.fromCodePoints([...codePointsOf("ab\uffee"), DOCUMENT_END]);
  const json = JSON.parse(JSON.stringify(vocabulary));
  assert.deepEqual(json, ["a", "b", "", "\uffee"]);
  const again = Vocabulary.fromJSON(json);
  assert.equal(again.documentEnd, 2);
  assert.equal(again.decode([0, 2, 3]), "a\uffee");
  assert.throws(
    () => again.encode(`a${String.fromCharCode(DOCUMENT_END)}`),
    failsWith("UNKNOWN_CHARACTER", "The model knows 3 characters"),
  );
  assert.equal(Vocabulary.fromCodePoints(codePointsOf("ab")).documentEnd, undefined);
});

test("another text is read as the documents of a model, and each token keeps its place", async (t) => {
  const folder = await temporaryFolder(t);
  const files = [path.join(folder, "a"), path.join(folder, "b")];
  await writeFile(files[0], "ab\n\n\nb\n");
  await writeFile(files[1], "a");
  const vocabulary = Vocabulary.fromCodePoints([...codePointsOf("ab\n"), DOCUMENT_END]);
  const { texts } = await readTexts(files, {
    encoding: "utf-8",
    rewriting: undefined,
    joined: true,
  });
  const known = await knownPart(texts[0], { vocabulary, documents: "paragraphs" }, "error");
  assert.equal(shown(known.tokens, vocabulary), "ab|b|a|");
  assert.deepEqual([...(known.positions ?? [])], [0, 1, 2, 5, 6, 7, 8]);
  const other = Vocabulary.fromCodePoints(codePointsOf("ab\n"));
  await assert.rejects(
    knownPart(texts[0], { vocabulary: other, documents: "paragraphs" }, "error"),
    failsWith("BAD_TEXT", "knows no end of a document"),
  );
});

test("characters of a separator need not be known to the model", async () => {
  const stdin = (async function* () {
    yield Buffer.from("ab<|>bé");
  })();
  const { texts } = await readTexts(
    ["-"],
    { encoding: "utf-8", rewriting: undefined, joined: true },
    { stdin },
  );
  const vocabulary = Vocabulary.fromCodePoints([...codePointsOf("ab"), DOCUMENT_END]);
  const reader = { vocabulary, documents: "<|>" };
  const { tokens, skipped, skippedCharacters } = await knownPart(texts[0], reader, "skip");
  assert.equal(shown(tokens, vocabulary), "ab|b|");
  assert.deepEqual([skipped, skippedCharacters], [1, ['"é" (U+00E9)']]);
  await assert.rejects(
    knownPart(texts[0], reader, "error"),
    failsWith("UNKNOWN_CHARACTER", '"é" (U+00E9), at line 1, column 7'),
  );
});
