import { stopHere } from "../stop.js";

/** Sums of gradients are in double precision. */
type FloatArray = Float32Array | Float64Array;

/** Products of two numbers between two looks whether to stop: some milliseconds of work. */
const PRODUCTS_AT_ONCE = 1 << 23;
/** Rows that are gone through between two looks. */
export const ROWS_AT_ONCE = 1 << 10;

/**
 * out[r, c] += sum over k of a[r, k] * b[c, k], for `out` `[rows, columns]`, `a` `[rows, depth]` and
 * `b` `[columns, depth]`.
 *
 * Each sum is one accumulator in double precision that runs over k in order, so that a row of the
 * result does not depend on which other rows are asked for. Tiles of three rows and four columns use
 * every number loaded several times, which makes them three times as fast as single sums.
 */
export function addProduct(
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  rows: number,
  columns: number,
  depth: number,
): void {
  // A size that some division made is a double to V8, and every index would be computed as one.
  const height = rows | 0;
  const width = columns | 0;
  const length = depth | 0;
  const triples = height - (height % 3);
  const quads = width & ~3;
  const atOnce = 3 * Math.max(1, Math.floor(PRODUCTS_AT_ONCE / (3 * width * length)));
  for (let first = 0; first < triples; first += atOnce) {
    stopHere();
    const end = Math.min(first + atOnce, triples);
    addTilesOfThreeRows(out, a, b, first, end, quads, width, length);
  }
  for (let r = triples; r < height; r++) addTilesOfOneRow(out, a, b, r, quads, width, length);
  addSingles(out, a, b, height, quads, width, length);
}

/** Rows `firstRow` to `rows`, multiples of three, and columns 0 to `quads`, a multiple of four. */
function addTilesOfThreeRows(
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  firstRow: number,
  rows: number,
  quads: number,
  columns: number,
  depth: number,
): void {
  for (let r = firstRow; r < rows; r += 3) {
    const a0 = r * depth;
    const a1 = a0 + depth;
    const a2 = a1 + depth;
    for (let c = 0; c < quads; c += 4) {
      const b0 = c * depth;
      const b1 = b0 + depth;
      const b2 = b1 + depth;
      const b3 = b2 + depth;
      let s00 = 0;
      let s01 = 0;
      let s02 = 0;
      let s03 = 0;
      let s10 = 0;
      let s11 = 0;
      let s12 = 0;
      let s13 = 0;
      let s20 = 0;
      let s21 = 0;
      let s22 = 0;
      let s23 = 0;
      for (let k = 0; k < depth; k++) {
        const x0 = a[a0 + k];
        const x1 = a[a1 + k];
        const x2 = a[a2 + k];
        const y0 = b[b0 + k];
        s00 += x0 * y0;
        s10 += x1 * y0;
        s20 += x2 * y0;
        const y1 = b[b1 + k];
        s01 += x0 * y1;
        s11 += x1 * y1;
        s21 += x2 * y1;
        const y2 = b[b2 + k];
        s02 += x0 * y2;
        s12 += x1 * y2;
        s22 += x2 * y2;
        const y3 = b[b3 + k];
        s03 += x0 * y3;
        s13 += x1 * y3;
        s23 += x2 * y3;
      }
      const first = r * columns + c;
      const second = first + columns;
      const third = second + columns;
      out[first] += s00;
      out[first + 1] += s01;
      out[first + 2] += s02;
      out[first + 3] += s03;
      out[second] += s10;
      out[second + 1] += s11;
      out[second + 2] += s12;
      out[second + 3] += s13;
      out[third] += s20;
      out[third + 1] += s21;
      out[third + 2] += s22;
      out[third + 3] += s23;
    }
  }
}

/** Row `row` and columns 0 to `quads`, a multiple of four. */
function addTilesOfOneRow(
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  row: number,
  quads: number,
  columns: number,
  depth: number,
): void {
  const a0 = row * depth;
  for (let c = 0; c < quads; c += 4) {
    const b0 = c * depth;
    const b1 = b0 + depth;
    const b2 = b1 + depth;
    const b3 = b2 + depth;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = 0; k < depth; k++) {
      const x = a[a0 + k];
      s0 += x * b[b0 + k];
      s1 += x * b[b1 + k];
      s2 += x * b[b2 + k];
      s3 += x * b[b3 + k];
    }
    const first = row * columns + c;
    out[first] += s0;
    out[first + 1] += s1;
    out[first + 2] += s2;
    out[first + 3] += s3;
  }
}

/** Rows 0 to `rows`, and columns `firstColumn` to `columns`. */
function addSingles(
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  rows: number,
  firstColumn: number,
  columns: number,
  depth: number,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = firstColumn; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += a[r * depth + k] * b[c * depth + k];
      out[r * columns + c] += sum;
    }
  }
}

/** out[c, r] = a[r, c], for `a` `[rows, columns]`; in blocks that stay in the cache. */
export function transpose(out: FloatArray, a: FloatArray, rows: number, columns: number): void {
  const block = 32;
  for (let firstRow = 0; firstRow < rows; firstRow += block) {
    stopHere();
    const lastRow = Math.min(firstRow + block, rows);
    for (let firstColumn = 0; firstColumn < columns; firstColumn += block) {
      const lastColumn = Math.min(firstColumn + block, columns);
      for (let r = firstRow; r < lastRow; r++) {
        for (let c = firstColumn; c < lastColumn; c++) out[c * rows + r] = a[r * columns + c];
      }
    }
  }
}

/** Every row of `out` `[rows, row.length]` becomes `row`. */
export function fillRows(out: FloatArray, row: FloatArray, rows: number): void {
  for (let r = 0; r < rows; r++) {
    if (r % ROWS_AT_ONCE === 0) stopHere();
    out.set(row, r * row.length);
  }
}

/** sums[c] = sum over r of a[r, c], for `a` `[rows, sums.length]`. */
export function sumRows(sums: Float64Array, a: FloatArray, rows: number): void {
  const columns = sums.length;
  sums.fill(0);
  for (let r = 0; r < rows; r++) {
    if (r % ROWS_AT_ONCE === 0) stopHere();
    for (let c = 0; c < columns; c++) sums[c] += a[r * columns + c];
  }
}

/** Every row of `out` is that of `a` times `row`, number by number. */
export function multiplyRows(out: FloatArray, a: FloatArray, row: FloatArray): void {
  const rows = out.length / row.length;
  for (let r = 0; r < rows; r++) {
    if (r % ROWS_AT_ONCE === 0) stopHere();
    const start = r * row.length;
    for (let i = 0; i < row.length; i++) out[start + i] = a[start + i] * row[i];
  }
}
