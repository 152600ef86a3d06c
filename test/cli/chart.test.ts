import assert from "node:assert/strict";
import { test } from "node:test";
import { chart } from "#src/cli/terminal/chart.js";
import { ASCII_MARKS } from "#src/cli/terminal/marks.js";
import fc from "../helpers/fast-check.js";

const value = fc.oneof(
  fc.double({ min: -10, max: 10, noNaN: true }),
  fc.double({ min: 0, max: 1e-4, noNaN: true }),
  fc.double({ min: 0, max: 1e7, noNaN: true }),
);
const line = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), value), { minLength: 1, maxLength: 100 })
  .map((points) => {
    let x = 0;
    return points.map(([ahead, y]) => {
      x += ahead;
      return { x, y };
    });
  });

test("A chart is no wider than the given width, and shows every line", () => {
  const property = fc.property(
    fc.array(line, { minLength: 1, maxLength: 3 }),
    fc.integer({ min: 40, max: 200 }),
    fc.integer({ min: 4, max: 30 }),
    (lines, width, height) => {
      const symbols = ["○", "●", "△"];
      const rows = chart(
        lines.map((points, k) => ({ symbol: symbols[k], points })),
        width,
        height,
      );
      for (const row of rows) assert.ok(row.length <= width, `${row.length}: ${row}`);
      assert.ok(rows.length <= height + 4, `${rows.length} rows`);
      // The last drawn line covers others, and is never covered.
      assert.ok(rows.join("").includes(symbols[lines.length - 1]));
    },
  );
  fc.assert(property, { numRuns: 300, examples: [[[[{ x: 1, y: 5e-324 }]], 40, 4]] });
});

test("A chart labels its rows with round numbers, each at its height", () => {
  const points = Array.from({ length: 51 }, (_, k) => ({ x: 100 * k, y: 4 - k / 20 }));
  const rows = chart([{ symbol: "●", points }], 60, 12);
  const labelled = rows.filter((row) => /^ *\d/.test(row) && row.includes("┤"));
  assert.deepEqual(
    labelled.map((row) => row.split("┤")[0].trim()),
    ["4.0", "3.5", "3.0", "2.5", "2.0", "1.5"],
  );
  // A line that falls evenly: the higher, the further left.
  const columns = labelled.map((row) => row.indexOf("●"));
  assert.deepEqual(
    columns,
    columns.toSorted((a, b) => a - b),
  );
  assert.match(rows[rows.length - 1], /^ +0 +2k +4k$/);
});

test("A chart is the same in ASCII, but for its marks", () => {
  const points = Array.from({ length: 51 }, (_, k) => ({ x: 100 * k, y: 4 - k / 20 }));
  const rows = chart([{ symbol: "●", points }], 60, 12).join("\n");
  const plain = chart([{ symbol: "*", points }], 60, 12, ASCII_MARKS).join("\n");
  const marks: Readonly<Record<string, string>> = {
    ...{ "│": "|", "┤": "+", "▲": "^", "─": "-", "┬": "+", "└": "+", "▶": ">", "●": "*" },
  };
  assert.equal(plain, Array.from(rows, (character) => marks[character] ?? character).join(""));
  assert.match(plain, /^[\x20-\x7e\n]+$/);
});
