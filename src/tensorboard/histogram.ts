/** How some numbers are spread. */
export interface Histogram {
  readonly least: number;
  readonly most: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Where each part ends, the lowest first, and how many numbers are in it. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/**
 * A number's part is said by its sign, its exponent and the first two bits of its fraction, so that a
 * part is a quarter of a doubling: a few large numbers don't hide how the many small ones are spread.
 */
const LOWER_BITS = 21;
const PARTS = 2 ** (32 - LOWER_BITS);
/** From here on numbers are negative, the larger their part the lower. */
const FIRST_NEGATIVE = PARTS / 2;

/** The histogram of numbers, of which those that are not finite are left out; undefined where there are none. */
export function histogramOf(values: Float32Array): Histogram | undefined {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const byPart = new Float64Array(PARTS);
  let [least, most, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
    count++;
    sum += value;
    sumOfSquares += value * value;
    byPart[bits[i] >>> LOWER_BITS]++;
  }
  if (count === 0) return undefined;
  const limits: number[] = [];
  const counts: number[] = [];
  for (const part of partsInOrder()) {
    if (byPart[part] === 0) continue;
    const [from, to] = edgesOf(part);
    // A part begins where the one before it ends, so that a gap is a separate part.
    if (limits.length > 0 && limits[limits.length - 1] < from) {
      limits.push(from);
      counts.push(0);
    }
    // Beyond the largest numbers lies infinity, of which there is none.
    limits.push(Math.min(to, most));
    counts.push(byPart[part]);
  }
  return { least, most, count, sum, sumOfSquares, limits, counts };
}

/** All parts, that of the lowest numbers first. */
function* partsInOrder(): Generator<number> {
  for (let part = PARTS - 1; part >= FIRST_NEGATIVE; part--) yield part;
  for (let part = 0; part < FIRST_NEGATIVE; part++) yield part;
}

/** Between which numbers a part lies. */
function edgesOf(part: number): [from: number, to: number] {
  const magnitude = part % FIRST_NEGATIVE;
  const [near, far] = [magnitude, magnitude + 1].map((it) => {
    return new Float32Array(Uint32Array.of(it << LOWER_BITS).buffer)[0];
  });
  return part < FIRST_NEGATIVE ? [near, far] : [-far, -near];
}
