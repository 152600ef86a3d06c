/** What the definition says of gradients, by central differences, and how an actual one is held to it. */
import { direction, gradient, slope } from "../../helpers/central-differences.js";
import { assertClose } from "../../helpers/numbers.js";
import type { Vector } from "../../reference/cells.js";

/** Relative and absolute, for results in single precision: some 80 roundings of numbers near 1. */
export const TOLERANCE = 1e-5;

/** The numbers equal the definition's to within {@link TOLERANCE}. */
export function assertNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
): void {
  assertClose(actual, expected, TOLERANCE, what);
}

/** A gradient: of small arrays whole, of large ones its products with some directions. */
export type ExpectedGradient = { readonly whole: Vector } | { readonly slopes: readonly number[] };

const DIRECTIONS = 2;

export function expectedGradient(
  loss: () => number,
  values: Vector,
  isSmall: boolean,
): ExpectedGradient {
  if (isSmall) return { whole: gradient(loss, values) };
  const slopes = Array.from({ length: DIRECTIONS }, (_, number) =>
    slope(loss, values, direction(values.length, number)),
  );
  return { slopes };
}

export function assertGradient(
  actual: Float32Array,
  expected: ExpectedGradient,
  what: string,
): void {
  if ("whole" in expected) {
    assertNear(actual, expected.whole, what);
    return;
  }
  const slopes = expected.slopes.map((_, number) =>
    direction(actual.length, number).reduce((sum, sign, i) => sum + sign * actual[i], 0),
  );
  // The errors of n numbers add up to the square root of n times one, which is far below the tolerance.
  const tolerance = TOLERANCE * Math.max(1, Math.sqrt(actual.length) / 20);
  assertClose(slopes, expected.slopes, tolerance, `slope along ${what}, direction`);
}

/** The same numbers in double precision; integers and sizes stay what they are. */
export function inDoubles(arrays: object): Record<string, Vector> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => [
      name,
      values instanceof Float32Array ? Float64Array.from(values) : values,
    ]),
  );
}
