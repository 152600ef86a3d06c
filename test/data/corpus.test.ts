import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type Corpus, type CorpusSettings, loadCorpus } from "#src/data/corpus.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { CharnnError } from "#src/errors.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { temporaryFolder } from "../helpers/folder.js";

const WHOLE: CorpusSettings = { files: ["-"], validation: 0, test: 0, encoding: "utf-8" };

/** Bytes as a stream, cut at these places. */
async function* cutAt(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  // One chunk after another in the same memory, as files are read.
  const chunk = new Uint8Array(bytes.length);
  let start = 0;
  for (const end of [...places, bytes.length]) {
    chunk.set(bytes.subarray(start, end));
    yield chunk.subarray(0, end - start);
    start = end;
  }
}

function load(
  text: string | Uint8Array,
  settings: Partial<CorpusSettings> = {},
  cuts: number[] = [],
) {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return loadCorpus({ ...WHOLE, ...settings }, { stdin: cutAt(bytes, cuts) });
}

function textOf({ vocabulary, train, validation, test: kept }: Corpus): string[] {
  return [train, validation, kept].map(({ tokens }) => vocabulary.decode(tokens));
}

async function filesOf(t: TestContext, contents: Record<string, string | Uint8Array>) {
  const folder = await temporaryFolder(t);
  const paths: string[] = [];
  for (const [name, content] of Object.entries(contents)) {
    paths.push(path.join(folder, name));
    await writeFile(paths[paths.length - 1], content);
  }
  return paths;
}

const cutPlaces = fc.array(fc.nat(10_000), { maxLength: 20 });

test("any text cut anywhere into chunks is read as TextDecoder reads it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary", minLength: 2, maxLength: 400 }),
      cutPlaces,
      async (text, cuts) => {
        fc.pre(new Set(text).size > 1 && !text.startsWith("\ufeff"));
        const corpus = await load(text, {}, cuts);
        assert.equal(textOf(corpus)[0], new TextDecoder().decode(Buffer.from(text)));
        assert.equal(corpus.characters, Array.from(text).length);
      },
    ),
  );
});

/** Bytes that are often nearly right: pieces of UTF-8 characters, and bytes that begin or end some. */
const nearlyUtf8 = fc
  .array(
    fc.oneof(
      fc
        .string({ unit: "binary", minLength: 1, maxLength: 2 })
        .map((test) => [...Buffer.from(test)]),
      fc.constantFrom([0xc0, 0xaf], [0xc1, 0x80], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf]),
      fc.constantFrom([0xed, 0xa0, 0x80], [0xed, 0x9f, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf]),
      fc.constantFrom([0xf4, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80]),
      fc.constantFrom([0xf7, 0xbf, 0xbf, 0xbf], [0xf8, 0x80, 0x80, 0x80, 0x80], [0xfe], [0xff]),
      fc.constantFrom([0x80], [0xbf], [0xc2], [0xe1, 0x80], [0xf1, 0x80, 0x80]),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((pieces) => Uint8Array.from([0x61, 0x62, ...pieces.flat()]));

test("bytes are refused exactly when TextDecoder refuses them, at the end of what is valid", async () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(nearlyUtf8, cutPlaces, async (bytes, cuts) => {
      let expected: string | undefined;
      try {
        expected = decoder.decode(bytes);
      } catch {
        expected = undefined;
      }
      try {
        const corpus = await load(bytes, {}, cuts);
        assert.equal(textOf(corpus)[0], expected);
      } catch (error) {
        if (!(error instanceof CharnnError)) throw error;
        assert.equal(expected, undefined, error.message);
        const [, byte, offset] = /byte 0x(\w\w) at offset (\d+)/.exec(error.message) ?? [];
        assert.equal(bytes[Number(offset)], Number.parseInt(byte, 16));
        // What comes before is whole, and with the byte it no longer is.
        decoder.decode(bytes.subarray(0, Number(offset)));
        assert.throws(() => decoder.decode(bytes.subarray(0, Number(offset) + 1)));
        refused++;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(refused > 50);
});

test("bytes that are not UTF-8 are refused with file, offset, byte and a way out", async (t) => {
  const [file] = await filesOf(t, { "latin.txt": Buffer.from("na\xefve text", "latin1") });
  await assert.rejects(
    loadCorpus({ ...WHOLE, files: [file] }),
    failsWith("BAD_TEXT", file, "byte 0xEF at offset 2", "`encoding: windows-1252`"),
  );
  await assert.rejects(load(Buffer.from("\ufeffab", "utf16le")), failsWith("BAD_TEXT", "utf-16le"));
  await assert.rejects(
    load(Buffer.from("abé").subarray(0, 3)),
    failsWith("BAD_TEXT", "0xC3 at offset 2"),
  );
});

test("a text in another encoding is read with its label", async () => {
  const windows = Buffer.from([0x61, 0x92, 0xe9, 0x80]);
  assert.equal(textOf(await load(windows, { encoding: "windows-1252" }, [1, 2]))[0], "a’é€");
  assert.equal(textOf(await load(windows, { encoding: "latin1" }))[0], "a’é€");
  const wide = Buffer.from("né 😀 né", "utf16le");
  assert.equal(textOf(await load(wide, { encoding: "utf-16le" }, [1, 7, 9]))[0], "né 😀 né");
  const japanese = Buffer.from([0x93, 0xfa, 0x96, 0x7b]);
  assert.equal(textOf(await load(japanese, { encoding: "shift_jis" }, [1, 3]))[0], "日本");
  assert.equal(textOf(await load("né", { encoding: "UTF8" }))[0], "né");
});

test("bytes that are wrong in another encoding are refused", async () => {
  const wide = Buffer.from("text", "utf16le");
  await assert.rejects(
    load(wide.subarray(0, 7), { encoding: "utf-16le" }),
    failsWith("BAD_TEXT", "is not utf-16le", "at its end"),
  );
  await assert.rejects(
    load(Buffer.from([0x61, 0x62, 0xff, 0x61]), { encoding: "shift_jis" }),
    failsWith("BAD_TEXT", "is not shift_jis", "wrong bytes between the offsets 0 and 4"),
  );
});

test("an unknown encoding is refused before anything is read", async () => {
  await assert.rejects(
    loadCorpus({ ...WHOLE, files: ["missing.txt"], encoding: "utf-9" }),
    failsWith("INVALID_SETTING", '"utf-9"', "windows-1252"),
  );
});

test("tokens take two bytes once there are more than 256 different characters", async () => {
  const of = (count: number) =>
    Array.from({ length: 2 * count }, (_, i) =>
      String.fromCodePoint(0x100 + ((i * 7) % count)),
    ).join("");
  for (const [count, bytes] of [
    [256, 1],
    [257, 2],
    [3_000, 2],
  ]) {
    const corpus = await load(of(count), {}, [100, 513, 700]);
    assert.equal(corpus.vocabulary.size, count);
    assert.equal(corpus.train.tokens.BYTES_PER_ELEMENT, bytes);
    assert.equal(textOf(corpus)[0], of(count));
  }
});

test("more different characters than two bytes hold are refused", async () => {
  const all = Array.from({ length: 65_537 }, (_, i) => String.fromCodePoint(0x10000 + i)).join("");
  await assert.rejects(load(all), failsWith("BAD_TEXT", "more than 65,536 different characters"));
});

test("the parts follow each other and make up the text", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme-ascii", minLength: 30, maxLength: 200 }),
      fc.double({ min: 0.1, max: 0.45, noNaN: true }),
      fc.double({ min: 0.1, max: 0.45, noNaN: true }),
      async (text, validation, kept) => {
        fc.pre(new Set(text).size > 1);
        const corpus = await load(text, { validation, test: kept });
        assert.equal(textOf(corpus).join(""), text);
        assert.equal(corpus.validation.tokens.length, Math.round(text.length * validation));
        assert.equal(corpus.test.tokens.length, Math.round(text.length * kept));
      },
    ),
  );
});

test("without fractions all of the text is for training", async () => {
  assert.deepEqual(textOf(await load("abcdef")), ["abcdef", "", ""]);
});

test("a validation file takes the place of a held-out part, and shares the vocabulary", async (t) => {
  const [main, other] = await filesOf(t, { "main.txt": "abababab", "other.txt": "zabé" });
  const corpus = await loadCorpus({
    ...WHOLE,
    files: [main],
    validationFile: other,
    validation: 0.5,
    test: 0.25,
  });
  assert.deepEqual(textOf(corpus), ["ababab", "zabé", "ab"]);
  assert.deepEqual(corpus.vocabulary.toJSON(), ["a", "b", "z", "é"]);
  assert.equal(corpus.characters, 12);
  assert.match(
    corpus.warnings.join("\n"),
    /2 characters occur only in the validation part \(2 of its 4 characters\): "z" \(U\+007A\), "é"/,
  );
});

test("a validation file that is too short is refused", async (t) => {
  const [main, other] = await filesOf(t, { "main.txt": "abababab", "other.txt": "z" });
  await assert.rejects(
    loadCorpus({ ...WHOLE, files: [main], validationFile: other }),
    failsWith("TEXT_TOO_SHORT", other, "too short to validate on"),
  );
});

test("files are joined as they are, with a newline where one does not end in it", async (t) => {
  const files = await filesOf(t, { a: "one", b: "", c: "two\n", d: "three" });
  const joined = await loadCorpus({ ...WHOLE, files });
  assert.equal(textOf(joined)[0], "one\ntwo\nthree");
  const piped = await load("one\ntwo\nthree");
  assert.equal(joined.fingerprint, piped.fingerprint);
});

test("a byte order mark is left out of each file, with a warning, and kept elsewhere", async (t) => {
  const files = await filesOf(t, { a: "\ufeffab", b: "\ufeff", c: "\ufeffc\ufeff" });
  const corpus = await loadCorpus({ ...WHOLE, files });
  assert.equal(textOf(corpus)[0], "ab\nc\ufeff");
  assert.match(corpus.warnings.join("\n"), /byte order mark at the beginning of ".*a" and 2 more/);
  const wide = await load(Buffer.from("\ufeffab", "utf16le"), { encoding: "utf-16le" }, [1]);
  assert.equal(textOf(wide)[0], "ab");
  assert.equal(wide.warnings.length, 1);
  const inside = await load("ab\ufeffcd", {}, [2, 5]);
  assert.equal(textOf(inside)[0], "ab\ufeffcd");
  assert.equal(inside.warnings.length, 1);
  assert.match(inside.warnings[0], /byte order mark \(U\+FEFF\) 1 time/);
});

test("carriage returns are kept and warned of", async () => {
  const corpus = await load("a\r\nb\r\n");
  assert.equal(textOf(corpus)[0], "a\r\nb\r\n");
  assert.match(corpus.warnings.join("\n"), /2 carriage returns .*learn to write them.*tr -d/);
});

test("characters that only held-out parts have are warned of, and others not", async () => {
  const corpus = await load("ababababx?abab!y", { validation: 0.25, test: 0.25 });
  assert.deepEqual(textOf(corpus), ["abababab", "x?ab", "ab!y"]);
  assert.equal(corpus.warnings.length, 2);
  assert.match(
    corpus.warnings[0],
    /^2 characters occur only in the validation part \(2 of its 4 characters\): "\?" \(U\+003F\), "x"/,
  );
  assert.match(
    corpus.warnings[1],
    /^2 characters occur only in the test part \(2 of its 4 characters\): "!" \(U\+0021\), "y"/,
  );
  assert.deepEqual((await load("abababab", { validation: 0.25 })).warnings, []);
});

test("characters that only the held-out part has are not told of where they hardly change its loss", async () => {
  const train = "ab".repeat(4_500);
  const few = await load(`${train}${"ba".repeat(499)}x?`, { validation: 0.1 });
  assert.deepEqual(few.warnings.length, 1);
  const one = await load(`${train}${"ba".repeat(499)}bx`, { validation: 0.1 });
  assert.deepEqual(one.warnings, []);
});

test("the fingerprint is the text's: the same however it is cut, another for another text", async () => {
  await fc.assert(
    fc.asyncProperty(cutPlaces, async (cuts) => {
      const text = "the quick brown fox é 日本 😀\n".repeat(5);
      assert.equal((await load(text, {}, cuts)).fingerprint, (await load(text)).fingerprint);
    }),
    { numRuns: 20 },
  );
  const texts = ["abc", "abd", "acb", "abca", "bcd", "ABC"];
  const fingerprints = await Promise.all(texts.map(async (test) => (await load(test)).fingerprint));
  assert.equal(new Set(fingerprints).size, texts.length);
  for (const fingerprint of fingerprints) assert.match(fingerprint, /^[0-9a-f]{64}$/);
});

test("the fingerprint tells where the validation file begins", async (t) => {
  const [a, b, c, d] = await filesOf(t, { a: "abc\n", b: "abab", c: "abc\nab", d: "ab" });
  const one = await loadCorpus({ ...WHOLE, files: [a], validationFile: b });
  const two = await loadCorpus({ ...WHOLE, files: [c], validationFile: d });
  const three = await loadCorpus({ ...WHOLE, files: [a, b] });
  assert.equal(new Set([one, two, three].map((test) => test.fingerprint)).size, 3);
});

test("a text with nothing to learn is refused", async () => {
  await assert.rejects(load(""), failsWith("BAD_TEXT", "The standard input is empty"));
  await assert.rejects(load("\ufeff"), failsWith("BAD_TEXT", "The standard input is empty"));
  await assert.rejects(load("é"), failsWith("BAD_TEXT", "a single character"));
  await assert.rejects(load("\n\n\n"), failsWith("BAD_TEXT", "newline (U+000A) throughout"));
});

test("fractions out of range are refused", async () => {
  for (const validation of [-0.1, 1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assert.rejects(
      load("abc", { validation }),
      failsWith("INVALID_SETTING", `\`validation: ${validation}\``),
    );
    await assert.rejects(
      load("abc", { test: validation }),
      failsWith("INVALID_SETTING", `\`test: ${validation}\``),
    );
  }
  await assert.rejects(
    load("abc", { validation: 0.5, test: 0.5 }),
    failsWith("INVALID_SETTING", "nothing to train on", "below 1"),
  );
});

test("a part left with fewer than two characters is refused, and the shares it names do fit", async () => {
  await assert.rejects(
    load("abcdefghij", { validation: 0.1 }),
    failsWith("TEXT_TOO_SHORT", "10 characters", "the validation part", "at least 0.2"),
  );
  for (const validation of [0.2, 0.8]) await load("abcdefghij", { validation });
  await assert.rejects(
    load("abcdefghijklmno", { validation: 0.05 }),
    failsWith("TEXT_TOO_SHORT", "at least 0.14"),
  );
  for (const validation of [0.14, 0.86]) await load("abcdefghijklmno", { validation });
  await assert.rejects(
    load("abcdefghij", { validation: 0.9 }),
    failsWith("TEXT_TOO_SHORT", "left for training"),
  );
  await assert.rejects(
    load("abcdefghij", { test: 0.1 }),
    failsWith("TEXT_TOO_SHORT", "the test part"),
  );
  await assert.rejects(
    load("abc", { validation: 0.5 }),
    failsWith("TEXT_TOO_SHORT", "longer text, or hold nothing out (`validation: 0`)."),
  );
  await assert.rejects(
    load("abcdefg", { validation: 0.1, test: 0.1 }),
    failsWith("TEXT_TOO_SHORT", "`validation` and `test` at least 0.29", "as much to train on"),
  );
  await load("abcdefg", { validation: 0.29, test: 0.29 });
});

test("folds that are too small are refused, and the number that the hint names fits", async () => {
  const text = "abcdefghij";
  const folds = (of: number, test = 0) => load(text, { test, fold: { index: 2, of } });
  await assert.rejects(folds(7), failsWith("TEXT_TOO_SHORT", "`crossValidate: 5` fits"));
  for (let index = 1; index <= 5; index++) await load(text, { fold: { index, of: 5 } });
  await assert.rejects(folds(5, 0.3), failsWith("TEXT_TOO_SHORT", "`crossValidate: 3` fits"));
  for (let index = 1; index <= 3; index++) await load(text, { test: 0.3, fold: { index, of: 3 } });
});

test("lines are cut apart at line ends, as near to the shares as can be", async () => {
  const lines = { documents: "lines" as const };
  const names = "anna\nbo\nclara\ndan\neve\n";
  const corpus = await load(names, { ...lines, validation: 0.2, test: 0.15 });
  assert.deepEqual(textOf(corpus), ["anna\nbo\nclara\n", "dan\n", "eve\n"]);
  assert.equal(corpus.documents, "lines");
  const trainedOn = async (validation: number) =>
    textOf(await load(names, { ...lines, validation }))[0];
  assert.equal(await trainedOn(0.55), "anna\nbo\n");
  assert.equal(await trainedOn(0.45), "anna\nbo\nclara\n");
  assert.deepEqual(textOf(await load("a\nb", { ...lines, validation: 0.1 })), ["a\n", "b\n", ""]);
  assert.deepEqual(textOf(await load("a\nb\n", { ...lines, validation: 0.9 })), ["a\n", "b\n", ""]);
});

test("a last line without newline counts as if it had one", async () => {
  const with_ = await load("ab\ncd\n", { documents: "lines" });
  const without = await load("ab\ncd", { documents: "lines" });
  assert.equal(with_.fingerprint, without.fingerprint);
  assert.deepEqual(textOf(await load("a", { documents: "lines" })), ["a\n", "", ""]);
});

test("lines that leave nothing for a part are refused", async () => {
  await assert.rejects(
    load("only one line\n", { documents: "lines", validation: 0.1 }),
    failsWith("TEXT_TOO_SHORT", "this leaves no line for the validation part", "`validation: 0`"),
  );
  await assert.rejects(
    load("line\n\n\n\n\n\n", { documents: "lines", validation: 0.3 }),
    failsWith("TEXT_TOO_SHORT", "this leaves no line for the validation part"),
  );
});

test("each fold holds out another part, and what is left is one text", async () => {
  const text = "0123456789abcdefghijXY";
  const parts = [];
  for (let index = 1; index <= 3; index++) {
    const corpus = await load(text, { test: 0.1, fold: { index, of: 3 } });
    const [train, validation, kept] = textOf(corpus);
    assert.equal(kept, "XY");
    assert.equal(train.length + validation.length, 20);
    assert.equal(train, text.slice(0, 20).replace(validation, ""));
    parts.push(validation);
  }
  assert.equal(parts.join(""), text.slice(0, 20));
});

test("folds of lines are whole lines", async () => {
  const lines = Array.from({ length: 30 }, (_, i) => `${"x".repeat(i % 7)}${i}\n`);
  const held = [];
  for (let index = 1; index <= 4; index++) {
    const fold = { index, of: 4 };
    const [train, validation] = textOf(await load(lines.join(""), { documents: "lines", fold }));
    for (const part of [train, validation]) {
      for (const line of part.split(/(?<=\n)/)) assert.ok(lines.includes(line), line);
    }
    held.push(validation);
  }
  assert.equal(held.join(""), lines.join(""));
});

test("a text can be read with more characters than it has, and is the same text", async () => {
  const alsoKnown = Vocabulary.fromCodePoints(
    [..."éa€"].map((test) => test.codePointAt(0) as number),
  );
  const plain = await load("banana bandana");
  const more = await load("banana bandana", { alsoKnown });
  assert.deepEqual(more.vocabulary.toJSON(), [" ", "a", "b", "d", "n", "é", "€"]);
  assert.deepEqual(textOf(more), textOf(plain));
  assert.equal(more.fingerprint, plain.fingerprint);
});
