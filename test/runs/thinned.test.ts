import assert from "node:assert/strict";
import { test } from "node:test";
import { binned } from "#src/report/binned.js";
import { ThinnedCurve, ThinnedList } from "#src/runs/thinned.js";
import fc from "../helpers/fast-check.js";
import { assertClose } from "../helpers/numbers.js";

const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 300 });
const most = fc.integer({ min: 1, max: 40 });

test("A thinned list has all items while they are few, then evenly spread ones, the first and the last among them", () => {
  const property = fc.property(values, most, (items, most) => {
    const list = new ThinnedList<{ value: number; at: number }>(most);
    items.forEach((value, at) => {
      list.add({ value, at });
    });
    const kept = list.items;
    if (items.length < 2 * most) assert.equal(kept.length, items.length);
    assert.ok(kept.length <= 2 * most && kept.length >= Math.min(items.length, most));
    assert.equal(kept[0].at, 0);
    assert.equal(kept.at(-1)?.at, items.length - 1);
    const gaps = kept.slice(1, -1).map(({ at }, k) => at - kept[k].at);
    assert.ok(gaps.every((gap) => gap === gaps[0]));
  });
  fc.assert(property);
});

test("A thinned curve has all points while they are few, and later their means and extremes", () => {
  const property = fc.property(values, most, (values, most) => {
    const curve = new ThinnedCurve(most);
    for (const [x, y] of values.entries()) curve.add(x, y);
    const { points } = curve;
    if (values.length <= 2 * most) {
      assert.deepEqual(points, [...values.entries()]);
      return;
    }
    assert.ok(points.length <= 2 * most && points.length >= most);
    const groups = points.map(([x, y, of]) => {
      return of ?? { count: 1, least: y, leastAt: x, most: y, last: [x, y] };
    });
    assert.equal(
      groups.reduce((sum, { count }) => sum + count, 0),
      values.length,
    );
    assert.deepEqual(groups.at(-1)?.last, [values.length - 1, values.at(-1)]);
    const least = groups.reduce((a, b) => (b.least < a.least ? b : a));
    assert.equal(least.least, Math.min(...values));
    assert.equal(least.leastAt, values.indexOf(least.least));
    assert.equal(Math.max(...groups.map(({ most }) => most)), Math.max(...values));
    const sum = points.reduce((total, [, y], k) => total + y * groups[k].count, 0);
    const whole = values.reduce((total, value) => total + value, 0);
    assertClose([sum], [whole], 1e-9, "sum");
    // One bin means them all, however they were merged before.
    assertClose([binned(points, 1)[0].y], [whole / values.length], 1e-9, "mean");
  });
  fc.assert(property);
});
