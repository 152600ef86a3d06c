import { test } from "node:test";

/**
 * A test that takes more than a second or two: `npm test` leaves it out; `npm run test:all` runs it, and so does
 * `node --test` with its file. `npm run test:slow` runs such tests alone, which it knows by their titles.
 */
export const slow: typeof test =
  process.env.CHARNN_TEST_QUICK === "1"
    ? (((..._) => {}) as typeof test)
    : process.env.CHARNN_TEST_SLOW === "1"
      ? (((title: string, ...rest: Parameters<typeof test>) =>
          (test as (...args: unknown[]) => Promise<void>)(
            `${title} [slow]`,
            ...rest,
          )) as typeof test)
      : test;
