/** Sums of rows of tables, and the gradients of these rows: the definition, and what backends without kernels for them use. */

/** Which rows each sum is made of. */
export interface RowSums {
  /** `[sums, terms]`: of a table, or of several one after the other; -1: this term is left out. */
  readonly rows: Int32Array;
  readonly terms: number;
  /** Rows of the table. */
  readonly tableRows: number;
  /** Of all terms but the first of each sum. */
  readonly factor: number;
}

/**
 * Overwrites vectors by sums of rows.
 *
 * @param table `[rows, size]`
 * @param vectors `[sums, size]`
 */
export function sumRows(
  { rows, terms, factor }: RowSums,
  table: Float32Array,
  vectors: Float32Array,
): void {
  const size = (vectors.length / rows.length) * terms;
  vectors.fill(0);
  for (let k = 0; k < terms; k++) {
    const times = k > 0 ? factor : 1;
    for (let to = 0, at = k; at < rows.length; at += terms, to += size) {
      const from = rows[at] * size;
      if (from < 0) continue;
      for (let i = 0; i < size; i++) vectors[to + i] += times * table[from + i];
    }
  }
}

/**
 * Adds to the gradient of each row those of all sums of which it is a term.
 *
 * @param gradient `[sums, size]`, with respect to the sums
 * @param table `[rows, size]`: added to
 */
export function spreadRows(
  { rows, terms, factor }: RowSums,
  gradient: Float32Array,
  table: Float32Array,
): void {
  const size = (gradient.length / rows.length) * terms;
  for (let k = 0; k < terms; k++) {
    const times = k > 0 ? factor : 1;
    for (let from = 0, at = k; at < rows.length; at += terms, from += size) {
      const to = rows[at] * size;
      if (to < 0) continue;
      for (let i = 0; i < size; i++) table[to + i] += times * gradient[from + i];
    }
  }
}
