/** How results are held to the definition, and to each other. */
import type { Backend } from "#src/backends/backend.js";
import { direction, gradient, slope } from "../../helpers/central-differences.js";
import { assertClose, assertSameBytes } from "../../helpers/numbers.js";
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

/** Whether to run the cases too that `npm test` leaves out, as it does slow tests. */
export const isAll = process.env.CHARNN_TEST_QUICK !== "1";

/**
 * The same for all backends, made once: what the definition takes longest for.
 *
 * @param sentence of the test
 */
export function onceFor<Result>(
  results: Map<string, Result>,
  sentence: string,
  make: () => Result,
) {
  const known = results.get(sentence);
  if (known !== undefined) return known;
  const made = make();
  results.set(sentence, made);
  return made;
}

/** All arrays of `expected` equal those of `actual`, by `compare`. */
export function assertAll(
  compare: (actual: never, expected: never, what: string) => void,
  actual: object,
  expected: object,
  what = "",
): void {
  for (const [name, values] of Object.entries(expected)) {
    if (values !== undefined) compare(actual[name as never], values as never, `${name} ${what}`);
  }
}

/** Numbers that two calls of different sizes have in common. */
export function assertSameNumbers(
  { name }: Backend,
  actual: Float32Array,
  expected: Float32Array,
  what: string,
): void {
  // In what order TensorFlow adds up a product depends on the product's size.
  const compare = name === "tensorflow" ? assertNear : assertSameBytes;
  compare(actual, expected, what);
}
