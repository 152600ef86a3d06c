import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ngramRow, ngramTables } from "#src/config/ngrams.js";

test("Each n-gram has a row of its own where a table has as many rows as there are n-grams", () => {
  const [pairs, triples] = ngramTables({ vocabularySize: 3, ngramOrder: 3, ngramRows: 64 });
  assert.deepEqual([pairs.name, pairs.rows], ["ngram2.weight", 16]);
  assert.deepEqual([triples.name, triples.rows], ["ngram3.weight", 64]);
  assert.equal(ngramRow(pairs, [2, 1, 3], 2), 1 * 4 + 3);
  const rows = new Set<number>();
  for (let index = 0; index < 64; index++) {
    const symbols = [Math.floor(index / 16), Math.floor(index / 4) % 4, index % 4];
    rows.add(ngramRow(triples, symbols, 2));
  }
  assert.deepEqual(
    [...rows],
    Array.from({ length: 64 }, (_, row) => row),
  );
});

test("The row of an n-gram is a hash of it where a table has fewer rows than there are n-grams", () => {
  const tables = ngramTables({ vocabularySize: 65_536, ngramOrder: 5, ngramRows: 16_384 });
  const symbols = [65_536, 65_535, 40_000, 1, 65_536];
  const multipliers = [334214459n, 216613571n, 482813621n, 119549117n, 405010933n];
  for (const [index, table] of tables.entries()) {
    assert.equal(table.rows, 16_384);
    let sum = 0n;
    for (let back = 0; back < index + 2; back++)
      sum += BigInt(symbols[4 - back]) * multipliers[back];
    assert.equal(ngramRow(table, symbols, 4), Number((sum % 536870909n) % 16_384n));
  }
});

for (const [what, texts] of [
  ["those of a text", guide],
  ["all of 26 letters", () => allTriples(26)],
] as const) {
  for (const ngramRows of [4_096, 16_384, 16_381]) {
    test(`Different n-grams of three spread evenly over ${ngramRows} rows: ${what}`, () => {
      const symbols = texts().map((token) => token + 1);
      const config = { vocabularySize: Math.max(...symbols), ngramOrder: 3, ngramRows };
      const [, triples] = ngramTables(config);
      const rows = new Map<string, number>();
      for (let last = 2; last < symbols.length; last++) {
        rows.set(symbols.slice(last - 2, last + 1).join(), ngramRow(triples, symbols, last));
      }
      const used = new Set(rows.values()).size;
      // So many rows would have some, if each n-gram had any row by chance.
      const expected = ngramRows * (1 - Math.exp(-rows.size / ngramRows));
      assert.ok(rows.size > 3_000, `${rows.size}`);
      assert.ok(used > 0.95 * expected, `${used} rows of ${rows.size} n-grams, not ${expected}`);
    });
  }
}

/** The guide, as characters of ASCII. */
function guide(): number[] {
  const text = readFileSync(new URL("../../docs/guide.md", import.meta.url), "utf8");
  return Array.from(text, (character) => Math.min(character.codePointAt(0) as number, 127));
}

/** A text that has every three letters. */
function allTriples(letters: number): number[] {
  return Array.from({ length: letters ** 3 }, (_, k) => [
    Math.floor(k / letters ** 2),
    Math.floor(k / letters) % letters,
    k % letters,
  ]).flat();
}
