/** Sums of rows of a table, and the gradients of these rows. */
import assert from "node:assert/strict";
import { type RowSums, spreadRows, sumRows } from "#src/backends/row-sums.js";
import type { Draw } from "../../helpers/numbers.js";
import { numbersOf } from "../../helpers/numbers.js";
import { testOnEveryBackend } from "../../helpers/on-every-backend.js";
import { assertNear } from "./comparisons.js";

/** Rows of several tables of which some are left out, and others come more than once. */
function drawSums(draw: Draw, count: number, terms: number, tableRows: number): RowSums {
  const rows = draw.tokens(count * terms, tableRows);
  for (let at = 0; at < rows.length; at++) if (draw.below(4) === 0) rows[at] = -1;
  return { rows, terms, tableRows, factor: 1.25 };
}

for (const size of [1, 15, 16, 17, 64]) {
  for (const [count, terms, tableRows] of [
    [1, 1, 1],
    [3, 4, 50],
    [200, 3, 40],
  ] as const) {
    testOnEveryBackend(
      `${count} sums of ${terms} rows of ${size} numbers, and the gradients of the rows, equal their definition`,
      (backend, draw) => {
        const sums = drawSums(draw, count, terms, tableRows);
        const given = structuredClone(sums);
        // The table, in two parts, is followed by other parameters.
        const shapes = new Map([
          ["encoder.weight", [1, size]],
          ["ngram2.weight", [tableRows - 1, size]],
          ["others", [9]],
        ]);
        const parameters = backend.parameterArray(shapes);
        const gradients = backend.parameterArray(shapes);
        const values = draw.floats(tableRows * size + 9);
        parameters.write(values);
        const [vectors, expected] = [draw.floats(count * size), new Float32Array(count * size)];
        sumRows(sums, values, expected);
        backend.sumRows(sums, parameters, vectors);
        assertNear(vectors, expected, "sums");
        const others = draw.floats(9);
        gradients.writeSlice("others", others);
        const gradient = draw.floats(count * size);
        const spread = new Float32Array(tableRows * size + 9);
        spread.set(others, tableRows * size);
        spreadRows(sums, gradient, spread);
        backend.spreadRows(sums, gradient, gradients);
        assertNear(numbersOf(gradients.flat), spread, "gradients");
        assert.deepEqual(sums, given);
        assert.deepEqual(numbersOf(parameters.flat), values);
        for (const array of [parameters, gradients]) array.dispose();
      },
    );
  }
}
