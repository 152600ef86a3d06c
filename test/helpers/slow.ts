import { test } from "node:test";

/**
 * A test that takes more than a second or two: `npm test` leaves it out; `npm run test:all` runs it, and so does
 * `node --test` with its file. `npm run test:slow` finds it by the end of its title.
 */
export const slow: typeof test = slowTest();

function slowTest(): typeof test {
  if (process.env.CHARNN_TEST_QUICK === "1") return ((..._) => {}) as typeof test;
  if (process.env.CHARNN_TEST_SLOW !== "1") return test;
  return ((title: string, ...rest: [never, never]) =>
    test(`${title} [slow]`, ...rest)) as typeof test;
}
