import assert from "node:assert/strict";
import { test } from "node:test";
import { ngramRow, ngramTables } from "#src/config/ngrams.js";
import { moveNgrams } from "#src/planning/move-ngrams.js";

const OLD = "abcde";
const NEW = "axbyce";

for (const [rows, title] of [
  [1_000, "each n-gram has its own row"],
  [11, "many n-grams share a row"],
] as const) {
  test(`Each row of n-grams gets the vector of the first n-gram in the text that has it and was known, where ${title}`, () => {
    const text = "cabxcabbacyeaceabcaxxbcecab";
    const [from, to] = [OLD, NEW].map(
      ({ length }) => ngramTables({ vocabularySize: length, ngramOrder: 3, ngramRows: rows })[1],
    );
    /** The row of three characters, 0 for what is before the text. */
    const rowOf = (table: typeof to, vocabulary: string, characters: string) => {
      const symbols = Array.from(characters, (it) => vocabulary.indexOf(it) + 1);
      return ngramRow(table, symbols, 2);
    };
    const size = 2;
    const old = Float32Array.from({ length: size * from.rows }, (_, i) => i + 1);
    const moved = new Float32Array(size * to.rows);
    const tokens = Uint16Array.from(text, (it) => NEW.indexOf(it));
    const tokensBefore = Array.from(NEW, (it) => (OLD.includes(it) ? OLD.indexOf(it) : undefined));
    moveNgrams({ to: moved, from: old }, { to, from }, tokens, tokensBefore);

    const expected = new Float32Array(size * to.rows);
    const taken = new Set<number>();
    const padded = `  ${text}`;
    for (let end = 3; end <= padded.length; end++) {
      const ngram = padded.slice(end - 3, end);
      if (/[xy]/.test(ngram)) continue;
      const row = rowOf(to, NEW, ngram);
      if (taken.has(row)) continue;
      taken.add(row);
      const source = rowOf(from, OLD, ngram);
      expected.set(old.subarray(size * source, size * (source + 1)), size * row);
    }
    assert.ok(taken.size > 5);
    assert.deepEqual(moved, expected);
  });
}
