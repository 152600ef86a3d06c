import assert from "node:assert/strict";
import { test } from "node:test";
import { sharesOf } from "#src/ranks/share.js";

test("Shares follow each other, cover everything, and differ by one at most", () => {
  for (const count of [0, 1, 5, 7, 64]) {
    for (const size of [1, 2, 3, 5, 8]) {
      const shares = sharesOf(count, size);
      const lengths = shares.map(({ begin, end }) => end - begin);
      assert.deepEqual(
        shares.map(({ begin }) => begin),
        [0, ...shares.slice(0, -1).map(({ end }) => end)],
      );
      assert.equal(shares[size - 1].end, count);
      assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1, `${count} among ${size}`);
    }
  }
});
