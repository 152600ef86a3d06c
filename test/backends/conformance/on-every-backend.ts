import { test } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import { openBackends } from "../../helpers/backends.js";
import { assertSameBytes, caseSeed, Draw } from "../../helpers/numbers.js";
import { assertNear } from "./gradients.js";

const SEED = caseSeed();

/** Whether to run the cases too that `npm test` leaves out, as it does slow tests. */
export const isAll = process.env.CHARNN_TEST_QUICK !== "1";

type Verify = (backend: Backend, draw: Draw) => void;

/**
 * Defines one test for each backend. One of a backend that does not load is skipped, with the reason.
 *
 * @param sentence says what holds; the test's title adds on which backend
 * @param verify gets random numbers that are the same for the same sentence, whatever else runs
 */
export function testOnEveryBackend(sentence: string, verify: Verify): void {
  for (const [name, backend] of backends) {
    const skip = typeof backend === "string" && backend;
    test(`${sentence} on the ${name} backend`, { skip }, () => {
      if (typeof backend !== "string") verify(backend, drawFor(sentence));
    });
  }
}

const backends = await openBackends();

function drawFor(sentence: string): Draw {
  let seed = SEED;
  for (const character of sentence) {
    seed = Math.imul(seed ^ (character.codePointAt(0) as number), 0x01000193);
  }
  return new Draw(seed);
}

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

/** All arrays of `expected` are the same in `actual`, as `compare` has it. */
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
