import assert from "node:assert/strict";
import { test } from "node:test";
import { steadilyBinned } from "#src/report/binned.js";
import { changeOf, type Shown, wholeOf } from "#src/report/watch/shown.js";
import fc from "../helpers/fast-check.js";
import { updated } from "../helpers/following.js";

const values = fc.array(fc.constantFrom(1, 2, null), { maxLength: 4 });
const chart = fc
  .tuple(
    fc.array(fc.constantFrom("epoch" as const, "speed" as const), { maxLength: 2 }),
    values,
    values,
    values,
  )
  .map(([names, steps, ...columns]) => ({
    steps: steps.map((_, k) => k + 1),
    lines: names.map((metric, k) => ({
      run: 0,
      metric,
      values: steps.map((_, row) => columns[k][row] ?? null),
    })),
  }));
/** As JSON makes objects. */
const PLAIN = { noNullPrototype: true } as const;
const list = fc.array(fc.constantFrom("x", "y"), { maxLength: 4 });
const run = fc
  .constantFrom(1, 2)
  .map((loss) => ({ name: "run", best: { step: 1, loss }, baseline: null }));
const shown: fc.Arbitrary<Shown> = fc.record(
  {
    runs: fc.array(run, { maxLength: 2 }),
    charts: fc.record({ loss: chart, rate: chart, speed: chart, norm: chart, axes: chart }, PLAIN),
    result: fc.constantFrom("one", "two"),
    evaluations: list,
    samples: list,
    status: fc.constantFrom("over", "not over"),
    progress: fc.constantFrom("far", "near"),
    edition: fc.constantFrom(0, 1),
  },
  PLAIN,
);

test("The content of a page is the same whether it comes as changes or as a whole", () => {
  const property = fc.property(shown, shown, (before, now) => {
    const change = changeOf(before, now);
    const sent = JSON.parse(JSON.stringify(change ?? {}));
    assert.deepEqual(updated(before, sent), now);
    assert.deepEqual(updated(before, JSON.parse(JSON.stringify(wholeOf(now)))), now);
    assert.equal(changeOf(now, structuredClone(now)), undefined);
  });
  fc.assert(property, { numRuns: 1_000 });
});

test("The content of a page is sent from the first difference on", () => {
  const chartTo = (last: number) => ({
    steps: Array.from({ length: last }, (_, k) => k + 1),
    lines: [
      {
        run: 0,
        metric: "training-loss" as const,
        values: Array.from({ length: last }, (_, k) => 1 / (k + 1)),
      },
    ],
  });
  const at = (last: number): Shown => ({
    runs: [],
    charts: {
      loss: chartTo(last),
      rate: chartTo(1),
      speed: chartTo(0),
      norm: chartTo(0),
      axes: chartTo(1),
    },
    result: "same",
    evaluations: [],
    samples: Array.from({ length: last }, (_, k) => `sample ${k + 1}`),
    status: "over",
    progress: "",
    edition: 0,
  });
  assert.deepEqual(changeOf(at(4), at(5)), {
    charts: {
      loss: { from: 4, steps: [5], lines: [{ run: 0, metric: "training-loss", values: [0.2] }] },
    },
    samples: { from: 4, items: ["sample 5"] },
  });
});

test("A curve in steady bins mostly keeps its points while it grows, and has enough of them", () => {
  const points = Array.from({ length: 20_000 }, (_, k): [number, number] => [k + 1, Math.sin(k)]);
  let [before, rewritten] = [steadilyBinned(points.slice(0, 1_501), 1_500), 0];
  for (let length = 1_502; length <= points.length; length += 131) {
    const now = steadilyBinned(points.slice(0, length), 1_500);
    assert.ok(now.length <= 1_500 && now.length >= 1_500 / 1.25 - 1, `${now.length} of ${length}`);
    const isSame = now[0].x === before[0].x && now[500].x === before[500].x;
    if (isSame) assert.deepEqual(now.slice(0, before.length - 1), before.slice(0, -1));
    else rewritten++;
    before = now;
  }
  assert.ok(rewritten < 15, `${rewritten} times`);
});

test("A curve in steady bins has all points of one position in one bin", () => {
  const bins = steadilyBinned(
    Array.from({ length: 10 }, (_, k) => [5, k]),
    4,
  );
  assert.deepEqual(bins, [{ x: 5, y: 4.5, least: 0, most: 9 }]);
});
