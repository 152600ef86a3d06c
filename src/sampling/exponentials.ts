/** Parts that a doubling is divided into. */
const PARTS = 256;
const PART_OF_LN_2 = Math.LN2 / PARTS;
/** Of the least normal number. */
const MIN_EXPONENT = -1022;
/** 2^(i / PARTS) */
const ROOTS = Float64Array.from({ length: PARTS }, (_, i) => 2 ** (i / PARTS));
/** 2^(i + MIN_EXPONENT) */
const POWERS = Float64Array.from({ length: 1 - MIN_EXPONENT }, (_, i) => 2 ** (i + MIN_EXPONENT));

/**
 * Overwrites `weights` by e^((logit - highest) / temperature) of as many logits from `start` on, each
 * to within 1e-11 of itself, or by 0 where that is no normal number. `Math.exp` takes four times as
 * long: 1.6 microseconds instead of 0.4 for 65 characters, where a GRU of 128 units takes 4 for all of a
 * character.
 *
 * e^x = 2^(n / 256) e^r with a whole n, and 0 <= r < ln 2 / 256: the power is looked up in two tables,
 * and r is so small that four terms of the series are enough.
 *
 * @param highest of these logits
 * @returns the sum of the weights
 */
export function exponentials(
  weights: Float64Array,
  logits: ArrayLike<number>,
  start: number,
  highest: number,
  temperature: number,
): number {
  const scale = 1 / (PART_OF_LN_2 * temperature);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const parts = (logits[start + i] - highest) * scale;
    let weight = 0;
    // What is not a number has no weight either.
    if (parts >= MIN_EXPONENT * PARTS) {
      const n = Math.floor(parts);
      const r = (parts - n) * PART_OF_LN_2;
      const power = POWERS[(n >> 8) - MIN_EXPONENT] * ROOTS[n & (PARTS - 1)];
      weight = power * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
    }
    weights[i] = weight;
    total += weight;
  }
  return total;
}

/** Overwrites `probabilities` by those of as many logits from `start` on. */
export function softmax(
  probabilities: Float64Array,
  logits: ArrayLike<number>,
  start: number,
): void {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < probabilities.length; i++) {
    if (logits[start + i] > highest) highest = logits[start + i];
  }
  const total = exponentials(probabilities, logits, start, highest, 1);
  for (let i = 0; i < probabilities.length; i++) probabilities[i] /= total;
}
