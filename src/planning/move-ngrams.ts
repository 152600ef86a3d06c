import { type NgramTable, ngramRow } from "../config/ngrams.js";
import type { Tokens } from "../data/vocabulary.js";

/**
 * Copies the vectors of a text's n-grams from a table for one vocabulary into one for another. Where several n-grams share a
 * row, it gets the vector of the first in the text, since frequent ones come early. Rows that no n-gram has stay as they are.
 *
 * @param to `[rows, embedding]`
 * @param from `[rows, embedding]`
 * @param tables how n-grams find their rows in both
 * @param tokens of the text, in the vocabulary of `to`
 * @param tokensBefore the token in the vocabulary of `from` of each in that of `to`; undefined where it has none
 */
export function moveNgrams(
  { to, from }: { readonly to: Float32Array; readonly from: Float32Array },
  tables: { readonly to: NgramTable; readonly from: NgramTable },
  tokens: Tokens,
  tokensBefore: readonly (number | undefined)[],
): void {
  const order = tables.to.factors.length;
  const size = to.length / tables.to.rows;
  const isTaken = new Uint8Array(tables.to.rows);
  /** The last characters, each in both vocabularies. */
  const symbols = { to: new Array<number>(order).fill(0), from: new Array<number>(order).fill(0) };
  let left = tables.to.rows;
  /** Characters since the last one that `from` does not know. */
  let known = order;
  for (let at = 0; at < tokens.length && left > 0; at++) {
    const token = tokens[at];
    const before = tokensBefore[token];
    symbols.to.push(token + 1);
    symbols.to.shift();
    symbols.from.push((before ?? 0) + 1);
    symbols.from.shift();
    known = before === undefined ? 0 : known + 1;
    if (known < order) continue;
    const row = ngramRow(tables.to, symbols.to, order - 1);
    if (isTaken[row]) continue;
    isTaken[row] = 1;
    left--;
    const source = size * ngramRow(tables.from, symbols.from, order - 1);
    to.set(from.subarray(source, source + size), row * size);
  }
}
