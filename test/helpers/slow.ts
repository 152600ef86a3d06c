import { test } from "node:test";

/**
 * A test that takes more than a second or two: `npm test` leaves it out; `npm run test:all` runs it, and so does
 * `node --test` with its file.
 */
export const slow: typeof test =
  process.env.CHARNN_TEST_QUICK === "1" ? (((..._) => {}) as typeof test) : test;
