import assert from "node:assert/strict";
import { test } from "node:test";
import { exponentials } from "#src/sampling/exponentials.js";
import fc from "../helpers/fast-check.js";

test("Exponentials of logits are those of Math.exp to within 1e-11, and so is their sum", () => {
  const anyLogits = fc.array(fc.float({ min: -600, max: 80, noNaN: true }), { minLength: 1 });
  const anyTemperature = fc.double({ min: 1, max: 10, noNaN: true });
  fc.assert(
    fc.property(anyLogits, anyTemperature, (logits, temperature) => {
      const highest = Math.max(...logits);
      const { weights, total } = weightsOf(logits, highest, temperature);
      const expected = logits.map((logit) => Math.exp((logit - highest) / temperature));
      for (const [i, weight] of weights.entries()) assertNear(weight, expected[i]);
      assertNear(
        total,
        expected.reduce((sum, weight) => sum + weight, 0),
      );
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("Exponentials of logits are right on both sides of every part of a doubling", () => {
  const logits = Array.from({ length: 2000 }, (_, i) => (-i * Math.LN2) / 256);
  const around = logits.flatMap((logit) => [logit - 1e-9, logit, Math.min(logit + 1e-9, 0)]);
  const { weights } = weightsOf(around, 0, 1);
  for (const [i, weight] of weights.entries()) assertNear(weight, Math.exp(around[i]));
});

test("Exponentials of logits are 1 for the highest, and 0 for what is far below it or is no number", () => {
  const logits = [3, 3 - 800, Number.NEGATIVE_INFINITY, Number.NaN, -1e30];
  assert.deepEqual(weightsOf(logits, 3, 1), {
    weights: Float64Array.of(1, 0, 0, 0, 0),
    total: 1,
  });
  assert.deepEqual(weightsOf([0, -1], 0, 1e-300).weights, Float64Array.of(1, 0));
});

/** With other logits before and after these. */
function weightsOf(logits: readonly number[], highest: number, temperature: number) {
  const weights = new Float64Array(logits.length).fill(7);
  const among = [9, 9, ...logits, 9];
  const total = exponentials(weights, among, 2, highest, temperature);
  return { weights, total };
}

function assertNear(actual: number, expected: number): void {
  const error = Math.abs(actual - expected) / expected;
  assert.ok(error < 1e-11, `${actual} for ${expected}`);
}
