import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { knownPart, refuseTooShort } from "#src/data/known-part.js";
import { readTexts } from "#src/data/texts.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";

const known = Vocabulary.fromCodePoints(Array.from("\n abcdef", (test) => test.charCodeAt(0)));

/** What a vocabulary knows of a text that comes through the standard input in pieces. */
async function loadKnown(text: string, unknown: "error" | "skip", vocabulary = known) {
  const bytes = Buffer.from(text);
  const pieces = (async function* () {
    for (const [from, to] of [
      [0, 3],
      [3, 5],
      [5, bytes.length],
    ]) {
      yield bytes.subarray(from, to);
    }
  })();
  const { texts } = await readTexts(
    ["-"],
    { encoding: "utf-8", rewriting: undefined, joined: true },
    { stdin: pieces },
  );
  const part = await knownPart(texts[0], { vocabulary }, unknown);
  refuseTooShort(part, texts[0]);
  return part;
}

async function filesOf(t: TestContext, texts: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(texts)) await writeFile(path.join(folder, name), text);
  return Object.keys(texts).map((name) => path.join(folder, name));
}

test("a text is encoded with a given vocabulary", async () => {
  const { tokens, skipped, skippedCharacters } = await loadKnown("fed a cab\n", "error");
  assert.equal(known.decode(tokens), "fed a cab\n");
  assert.deepEqual([skipped, skippedCharacters], [0, []]);
});

test("a text is left as it is, for another vocabulary to read", async (t) => {
  const { texts } = await readTexts(await filesOf(t, { a: "fed zz" }), {
    encoding: "utf-8",
    rewriting: undefined,
    joined: true,
  });
  const before = texts[0].numbers.slice();
  assert.equal(
    known.decode((await knownPart(texts[0], { vocabulary: known }, "skip")).tokens),
    "fed ",
  );
  assert.deepEqual(texts[0].numbers, before);
});

test("tokens are as wide as the vocabulary requires, for any text", async () => {
  const wide = Vocabulary.fromCodePoints(Array.from({ length: 300 }, (_, index) => index));
  const few = await loadKnown("a\u012ba\u012b", "error", wide);
  assert.ok(few.tokens instanceof Uint16Array);
  assert.equal(wide.decode(few.tokens), "a\u012ba\u012b");
  const many = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x100 + i)).join("");
  const { tokens, skipped } = await loadKnown(`ab${many}cd`, "skip");
  assert.ok(tokens instanceof Uint8Array);
  assert.deepEqual([known.decode(tokens), skipped], ["abcd", 300]);
});

test("unknown characters of a text are an error that names place and way out", async (t) => {
  await assert.rejects(
    loadKnown("cab\nfée É", "error"),
    failsWith(
      "UNKNOWN_CHARACTER",
      '"é" (U+00E9), "É"',
      "line 2, column 2 of the standard input",
      '"e" for "é"',
      "`unknown: skip`",
    ),
  );
  const [a, b] = await filesOf(t, { a: "cab\n", b: "a bed\nfor" });
  const { texts } = await readTexts([a, b], {
    encoding: "utf-8",
    rewriting: undefined,
    joined: true,
  });
  await assert.rejects(
    knownPart(texts[0], { vocabulary: known }, "error"),
    failsWith("UNKNOWN_CHARACTER", `line 2, column 2 of "${b}"`),
  );
});

test("unknown characters are left out and counted when they are to be skipped", async () => {
  const { tokens, skipped, skippedCharacters } = await loadKnown("fée, éa\tb", "skip");
  assert.equal(known.decode(tokens), "fe ab");
  assert.equal(skipped, 4);
  assert.deepEqual(skippedCharacters, ['"é" (U+00E9)', '"," (U+002C)', "tab (U+0009)"]);
});

test("a text that leaves nothing to predict is refused", async () => {
  await assert.rejects(
    loadKnown("a", "error"),
    failsWith("BAD_TEXT", "nothing to predict", "Give a longer text."),
  );
  await assert.rejects(
    loadKnown("日本語日本語", "skip"),
    failsWith("BAD_TEXT", "nothing to predict", "characters that the model knows"),
  );
  await assert.rejects(loadKnown("axyz", "skip"), failsWith("BAD_TEXT", "What the model knows"));
});

test("files are one text, or each its own", async (t) => {
  const files = await filesOf(t, { a: "fed", b: "cab\n", c: "a\n" });
  const together = await readTexts(files, {
    encoding: "utf-8",
    rewriting: undefined,
    joined: true,
  });
  const textsOf = ({ texts }: typeof together) =>
    Promise.all(
      texts.map(async (text) =>
        known.decode((await knownPart(text, { vocabulary: known }, "error")).tokens),
      ),
    );
  assert.deepEqual(await textsOf(together), ["fed\ncab\na\n"]);
  assert.equal(together.texts[0].name, `${files[0]} and 2 more`);
  const apart = await readTexts(files, { encoding: "utf-8", rewriting: undefined, joined: false });
  assert.deepEqual(await textsOf(apart), ["fed", "cab\n", "a\n"]);
  assert.deepEqual(
    apart.texts.map(({ name }) => name),
    files,
  );
});
