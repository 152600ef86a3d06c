import assert from "node:assert/strict";
import { test } from "node:test";
import { binned } from "#src/report/binned.js";
import type { Point } from "#src/runs/thinned.js";
import fc from "../helpers/fast-check.js";
import { assertClose } from "../helpers/numbers.js";

const curve = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: -1_000, max: 1_000 })), {
    minLength: 1,
    maxLength: 200,
  })
  .map((steps): Point[] => {
    let x = 0;
    return steps.map(([ahead, y]) => {
      x += ahead;
      return [x, y];
    });
  });

test("A curve in bins has no more points than the limit, in order, and takes every old one into account", () => {
  const property = fc.property(curve, fc.integer({ min: 1, max: 40 }), (points, count) => {
    const bins = binned(points, count);
    assert.ok(bins.length <= Math.max(count, 1) && bins.length > 0);
    const values = points.map(([, y]) => y);
    assert.equal(Math.min(...bins.map(({ least }) => least)), Math.min(...values));
    assert.equal(Math.max(...bins.map(({ most }) => most)), Math.max(...values));
    for (const [k, { x, y, least, most }] of bins.entries()) {
      assert.ok(y >= least - 1e-9 && y <= most + 1e-9);
      if (k > 0) assert.ok(x > bins[k - 1].x);
    }
  });
  fc.assert(property);
});

test("A curve in bins has the mean of the points in each bin", () => {
  const points: Point[] = [
    [0, 1],
    [1, 3],
    [2, 5],
    [90, 7],
    [99, 8],
    [100, 9],
  ];
  const bins = binned(points, 4);
  assertClose(
    bins.flatMap(({ x, y, least, most }) => [x, y, least, most]),
    [1, 3, 1, 5, 289 / 3, 8, 7, 9],
    1e-12,
    "bins",
  );
});

test("A curve in bins of few points is left as it is", () => {
  assert.deepEqual(binned([[1, 2]], 5), [{ x: 1, y: 2, least: 2, most: 2 }]);
  assert.deepEqual(binned([], 5), []);
});
