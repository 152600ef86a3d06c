import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCharacter } from "#src/data/characters.js";
import { twinsOf } from "#src/data/twins.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { CharnnError } from "#src/errors.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";

function vocabularyOf(text: string): Vocabulary {
  return Vocabulary.fromCodePoints(Array.from(text, (test) => test.codePointAt(0) as number));
}

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 300 });

test("a text decodes to itself with the vocabulary of its own characters", () => {
  fc.assert(
    fc.property(text, (written) => {
      const vocabulary = vocabularyOf(written);
      assert.equal(vocabulary.decode(vocabulary.encode(written)), written);
    }),
  );
});

test("characters are sorted by code point, each once, no matter in which order they come", () => {
  assert.deepEqual(vocabularyOf("😀ba\uffffabZ").toJSON(), ["Z", "a", "b", "\uffff", "😀"]);
});

test("indices and characters belong to each other", () => {
  const vocabulary = vocabularyOf("né😀");
  assert.equal(vocabulary.size, 3);
  for (let index = 0; index < vocabulary.size; index++) {
    const codePoint = vocabulary.characterAt(index).codePointAt(0) as number;
    assert.equal(vocabulary.indexOf(codePoint), index);
  }
  assert.equal(vocabulary.indexOf(0x6d), undefined);
  assert.equal(vocabulary.indexOf(0x10ffff), undefined);
});

test("tokens take one byte up to 256 characters and two from there", () => {
  const of = (size: number) => Vocabulary.fromCodePoints(Array.from({ length: size }, (_, i) => i));
  assert.ok(of(256).encode("a") instanceof Uint8Array);
  assert.ok(of(257).encode("a") instanceof Uint16Array);
  assert.equal(of(257).decode([256]), "\u0100");
});

test("a vocabulary survives JSON", () => {
  fc.assert(
    fc.property(text, (written) => {
      const vocabulary = vocabularyOf(written);
      const copy = Vocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)));
      assert.deepEqual(copy.toJSON(), vocabulary.toJSON());
      assert.deepEqual(copy.encode(written), vocabulary.encode(written));
    }),
  );
});

test("a stored vocabulary is refused unless it is a sorted list of single characters", () => {
  const bad: [unknown, string][] = [
    [undefined, "not a list"],
    [{ 0: "a", length: 1 }, "not a list"],
    [[], "empty"],
    [["a", 98], "entry 1 is not one character"],
    [["", "a"], "entry 1 is out of order"],
    [["ab"], "entry 0 is not one character"],
    [["\ud83d"], "entry 0 is not one character"],
    [["b", "a"], "entry 1 is out of order"],
    [["a", "a"], "entry 1 is out of order"],
    [new Array(65_537).fill("a"), "more than 65,536"],
  ];
  for (const [value, reason] of bad) {
    assert.throws(() => Vocabulary.fromJSON(value), failsWith("BAD_CHECKPOINT", reason));
  }
});

test("more characters than two bytes can tell apart are refused", () => {
  const codePoints = (count: number) => Array.from({ length: count }, (_, index) => index);
  assert.equal(Vocabulary.fromCodePoints(codePoints(65_536)).size, 65_536);
  assert.throws(
    () => Vocabulary.fromCodePoints(codePoints(65_537)),
    failsWith("BAD_TEXT", "more than 65,536 different characters"),
  );
});

test("unknown characters are named with their place and what could stand for them", () => {
  const vocabulary = vocabularyOf("cafe 'n' tea\n");
  assert.throws(
    () => vocabulary.encode("tea\nCafé"),
    failsWith(
      "UNKNOWN_CHARACTER",
      '"C" (U+0043), "é" (U+00E9)',
      "line 2, column 1",
      '"c" for "C"',
      '"e" for "é"',
    ),
  );
  assert.throws(
    () => vocabulary.encode("n’t"),
    failsWith(
      "UNKNOWN_CHARACTER",
      'the character "’" (U+2019), at line 1, column 2',
      '"\'" for "’"',
    ),
  );
});

test("of many unknown characters a few are named and the rest is counted", () => {
  assert.throws(
    () => vocabularyOf("ab").encode("0123456789"),
    failsWith("UNKNOWN_CHARACTER", '"4" (U+0034) and 5 more'),
  );
});

test("half a surrogate pair is an unknown character", () => {
  assert.throws(
    () => vocabularyOf("a😀").encode("a\ud83d"),
    failsWith("UNKNOWN_CHARACTER", "U+D83D", "column 2"),
  );
});

/** The hint for a text that a model of another one can't read. */
function hintFor(written: string, known: string): string {
  try {
    vocabularyOf(known).encode(written);
  } catch (error) {
    assert.ok(error instanceof CharnnError);
    return error.hint as string;
  }
  throw new Error(`${known} has all of ${written}`);
}

test("only true twins of an unknown character are offered", () => {
  const cases: [written: string, known: string, hint: string][] = [
    ["A", "ab", 'It knows "a" for "A".'],
    ["É", "éab", 'It knows "é" for "É".'],
    ["É", "eEab", 'It knows "E" or "e" for "É" (without its accent).'],
    ["é", "e\u0301b", 'It knows "e" and "\u25cc\u0301" for "é" (with its accent apart).'],
    ["e\u0301", "aeé", 'It knows "é" for "e" and "\u25cc\u0301" after it.'],
    ["’", "'a", 'It knows "\'" for "’".'],
    ["'", "a’", 'It knows "’" for "\'".'],
    ["«", 'a"', `It knows '"' for "«".`],
    ["—", "-a", 'It knows "-" for "—".'],
    ["\u00a0", " a", "It knows space for no-break space."],
    ["…", ".a", 'It knows "..." for "…".'],
    ["ﬁ", "fia", 'It knows "fi" for "ﬁ".'],
    [",", "，a", 'It knows "，" for "," (its wide form).'],
    ["\u2028", "\na", "It knows newline for U+2028."],
    ["\u212a", "Ka", 'It knows "K" for "\u212a".'],
  ];
  for (const [written, known, hint] of cases) assert.equal(hintFor(written, known), hint);
});

test("where a model knows no twin its characters are listed, and nothing is offered", () => {
  const shakespeare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz3\n !$&',-.:;?";
  const knows65 =
    "The model knows 65 characters: A-Z a-z 3 newline space ! $ & ' , - . : ; and 1 more.";
  assert.equal(shakespeare.length, 65);
  for (const written of ["\t", "\\", "7", "*", "語", "µ", "й", "ß", "\u0007", "\ud800", "²", "–"]) {
    const hint = hintFor(written, shakespeare);
    assert.equal(hint, written === "–" ? 'It knows "-" for "–".' : knows65, written);
  }
  const manyIdeographs = Array.from({ length: 3_000 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  assert.equal(
    hintFor("鿿", `${manyIdeographs.join("")}。a\n`),
    "The model knows 3,003 characters: a newline 一-\u59b7 。.".replace(
      "\u59b7",
      manyIdeographs[2_999],
    ),
  );
  for (const [written, known] of [
    [" ", "\n\ta"],
    ["\n", " a\r"],
    ["?", "¿!a"],
    [".", "·•a"],
    ["c", "abd"],
  ]) {
    assert.match(hintFor(written, known), /^The model knows \d+ characters: /);
  }
});

test("twins and what has none are listed together, in few words", () => {
  const hint = hintFor("ABCDEFG7", "abcdefg");
  assert.equal(
    hint,
    'It knows "a" for "A", "b" for "B", "c" for "C", "d" for "D", "e" for "E" and 2 more. The model knows 7 characters: a-g.',
  );
});

test("everything that is offered is known, and safe to show", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 0x10ffff }), (written, codePoint) => {
      const vocabulary = vocabularyOf(written);
      if (vocabulary.indexOf(codePoint) !== undefined) return;
      const hint = hintFor(String.fromCodePoint(codePoint), written);
      assert.doesNotMatch(hint, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      for (const { text: twin } of twinsOf(codePoint)) {
        assert.notEqual(twin, String.fromCodePoint(codePoint));
      }
    }),
  );
});

test("characters that show nothing or disturb a terminal are described, not shown", () => {
  assert.equal(describeCharacter(0xe9), '"é" (U+00E9)');
  assert.equal(describeCharacter(0x1f600), '"😀" (U+1F600)');
  assert.equal(describeCharacter(0x0a), "newline (U+000A)");
  assert.equal(describeCharacter(0x1b), "escape (U+001B)");
  assert.equal(describeCharacter(0x07), "U+0007");
  assert.equal(describeCharacter(0x202e), "U+202E");
  assert.equal(describeCharacter(0xd800), "U+D800");
  assert.equal(describeCharacter(0x301), '"\u25cc\u0301" (U+0301)');
});
