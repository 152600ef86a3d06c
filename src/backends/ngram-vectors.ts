import type { ModelConfig } from "../config/model.js";
import { ngramRow, ngramTables } from "../config/ngrams.js";

/** The names of the tables of which a row each is added up, that of characters first. */
export function vectorTables(config: ModelConfig): string[] {
  return ["encoder.weight", ...ngramTables(config).map(({ name }) => name)];
}

/**
 * The row of each of the {@link vectorTables} that n-grams have.
 *
 * @param symbols `[n-grams, tables]`: of as many characters as there are tables, as {@link ngramRow} has them
 * @returns `[n-grams, tables]`
 */
export function rowsOfNgrams(config: ModelConfig, symbols: Int32Array): Int32Array {
  const tables = ngramTables(config);
  const order = tables.length + 1;
  const rows = new Int32Array(symbols.length);
  for (let last = order - 1; last < symbols.length; last += order) {
    rows[last - order + 1] = symbols[last] - 1;
  }
  for (const [k, table] of tables.entries()) {
    for (let last = order - 1; last < symbols.length; last += order) {
      rows[last - order + k + 2] = ngramRow(table, symbols, last);
    }
  }
  return rows;
}
