/** How some numbers are spread. */
export interface Histogram {
  readonly least: number;
  readonly most: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Where each part ends that the width from the least to the most is divided into, and its count. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const PARTS = 64;

/** The histogram of numbers, of which those that are not finite are left out; undefined of none. */
export function histogramOf(values: Float32Array): Histogram | undefined {
  let [least, most, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
    count++;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0) return undefined;
  const parts = least < most ? PARTS : 1;
  const width = (most - least) / parts;
  const counts = new Array<number>(parts).fill(0);
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    counts[parts === 1 ? 0 : Math.min(Math.floor((value - least) / width), parts - 1)]++;
  }
  const limits = counts.map((_, k) => (k === parts - 1 ? most : least + (k + 1) * width));
  return { least, most, count, sum, sumOfSquares, limits, counts };
}
