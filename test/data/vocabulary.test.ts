import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { describeCharacter } from "#src/data/characters.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { failsWith } from "../helpers/failure.js";

function vocabularyOf(text: string): Vocabulary {
  return Vocabulary.fromCodePoints(Array.from(text, (it) => it.codePointAt(0) as number));
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

test("characters are sorted by code point, each once, whatever their order", () => {
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
    [["a", ""], "entry 1 is not one character"],
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

test("the nearest characters are other cases, bare letters, similar punctuation, then neighbours", () => {
  const vocabulary = vocabularyOf("abeEz-\"' .89");
  const nearest = (character: string) => vocabulary.nearest(character.codePointAt(0) as number);
  assert.deepEqual(nearest("A"), ["a"]);
  assert.deepEqual(nearest("É"), ["E", "e"]);
  assert.deepEqual(nearest("”"), ['"']);
  assert.deepEqual(nearest("—"), ["-"]);
  assert.deepEqual(nearest("\u00a0"), [" "]);
  assert.deepEqual(nearest("…"), ["."]);
  assert.deepEqual(nearest("c"), ["b", "a", "e"]);
  assert.deepEqual(nearest("7"), ["8", "9"]);
  assert.deepEqual(nearest("語"), []);
});

test("what is called nearest is always known, never more than three, never the character itself", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 0x10ffff }), (written, codePoint) => {
      const vocabulary = vocabularyOf(written);
      const nearest = vocabulary.nearest(codePoint);
      assert.ok(nearest.length <= 3);
      assert.equal(new Set(nearest).size, nearest.length);
      for (const character of nearest) {
        const near = character.codePointAt(0) as number;
        assert.notEqual(near, codePoint);
        assert.notEqual(vocabulary.indexOf(near), undefined);
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
