import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedPassageFinder } from "#src/memorization/shared-passages.js";
import { SuffixAutomaton } from "#src/memorization/suffix-automaton.js";
import { atOnce } from "#src/turns.js";
import fc from "../helpers/fast-check.js";

const CODES = new Int32Array(128).fill(-1);

/** What the finder says of two texts of letters, the text read in pieces. */
function found(sample: string, text: string, cuts: readonly number[] = []) {
  const letters = [...new Set(sample)];
  const symbolOf = CODES.slice();
  for (const [symbol, letter] of letters.entries()) symbolOf[letter.charCodeAt(0)] = symbol;
  const finder = atOnce(
    SharedPassageFinder.of(Array.from(sample, (letter) => letters.indexOf(letter))),
  );
  let start = 0;
  const places = cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b);
  for (const end of [...places, text.length]) {
    const piece = text.slice(start, end);
    finder.read(
      Int32Array.from(piece, (letter) => letter.charCodeAt(0)),
      symbolOf,
    );
    start = end;
  }
  return atOnce(finder.passages());
}

/** The runs of a sample that the text has and that can't be made longer, by trying all. */
function byTrying(sample: string, text: string): { start: number; length: number }[] {
  const passages = [];
  for (let start = 0; start < sample.length; start++) {
    let length = 0;
    while (
      start + length < sample.length &&
      text.includes(sample.slice(start, start + length + 1))
    ) {
      length++;
    }
    const isPart =
      start > 0 && length > 0 && text.includes(sample.slice(start - 1, start + length));
    if (length > 0 && !isPart) passages.push({ start, length });
  }
  return passages;
}

const words = fc.string({
  unit: fc.constantFrom("a", "b", "c"),
  maxLength: 60,
  size: "max",
});

test("The passages that a sample shares with a text are those that an exhaustive search finds, no matter how the text is cut for reading", () => {
  const property = fc.property(words, words, fc.array(fc.nat(100)), (sample, text, cuts) => {
    const passages = found(sample, text, cuts);
    assert.deepEqual(
      passages.map(({ start, length }) => ({ start, length })),
      byTrying(sample, text),
    );
    for (const { start, length, inText } of passages) {
      assert.equal(text.slice(inText, inText + length), sample.slice(start, start + length));
    }
  });
  fc.assert(property, { numRuns: 1_000 });
});

test("The passages that a sample shares with a text are found in a time that does not grow with the square of the lengths", () => {
  // Each of these makes some way of doing it quadratic.
  const many = 200_000;
  assert.deepEqual(found("a".repeat(many), "b"), []);
  assert.deepEqual(found("a".repeat(many), "a".repeat(many / 2)).length, many / 2 + 1);
  assert.deepEqual(found("ab".repeat(many / 2), "ab".repeat(many)), [
    { start: 0, length: many, inText: 0 },
  ]);
  assert.equal(found(`${"a".repeat(many)}b`, `${"a".repeat(many)}c`.repeat(2)).length, 1);
});

test("The suffix automaton accepts the strings that occur in its text, and no others", () => {
  const property = fc.property(words, words, (sequence, string) => {
    const symbols = Array.from(sequence, (letter) => letter.charCodeAt(0) - 97);
    const automaton = atOnce(SuffixAutomaton.of(symbols));
    assert.ok(automaton.size <= Math.max(2 * sequence.length, 2));
    let state = 0;
    for (let end = 1; end <= string.length && state >= 0; end++) {
      state = automaton.follow(state, string.charCodeAt(end - 1) - 97);
      assert.equal(state >= 0, sequence.includes(string.slice(0, end)));
    }
  });
  fc.assert(property, { numRuns: 1_000 });
});
