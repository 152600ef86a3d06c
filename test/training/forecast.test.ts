import assert from "node:assert/strict";
import { test } from "node:test";
import { isTimeForWhole, NO_TIME, secondsFor, stepsFor } from "#src/planning/forecast.js";
import fc from "../helpers/fast-check.js";

/** Of a time, the fraction that is planned. */
const PLANNED = 0.99;

test("The number of steps that fit into a time limit is most of the limit divided by the time of a step where nothing else takes time", () => {
  const speed = { ...NO_TIME, secondsPerStep: 0.25 };
  assert.equal(stepsFor(60, speed, 500), Math.floor(PLANNED * 240));
});

test("The number of steps that fit into a time limit leaves time for the evaluations, and for the scores at the end", () => {
  const seconds = fc.double({ min: 1, max: 1e5, noNaN: true });
  const cost = fc.double({ min: 1e-4, max: 2, noNaN: true });
  const every = fc.integer({ min: 1, max: 2_000 });
  const property = fc.property(
    seconds,
    cost,
    cost,
    cost,
    every,
    (time, step, evaluation, end, evalEvery) => {
      const speed = {
        secondsPerStep: step,
        secondsToExchange: 0,
        secondsPerEvaluation: evaluation,
        secondsAtEnd: end,
        secondsPerCharacter: 0,
      };
      const steps = stepsFor(time, speed, evalEvery);
      // The last evaluation may come a moment after one of the others.
      const planned = PLANNED * time;
      const most = planned + 1e-9 * time;
      if (steps > 1) assert.ok(secondsFor(steps, speed, evalEvery) <= most);
      const more = secondsFor(steps + 1, speed, evalEvery) + evaluation;
      assert.ok(more > planned - 1e-9 * time, `${more} s`);
    },
  );
  fc.assert(property);
});

test("The number of steps that fit into a time limit is at least one", () => {
  const speed = { ...NO_TIME, secondsPerStep: 10, secondsPerEvaluation: 100 };
  assert.equal(stepsFor(1, speed, 500), 1);
});

test("The whole of the held-out part is scored where that ends in time, or at most 1 % of the limit late", () => {
  assert.ok(isTimeForWhole(5, 1_000, 4));
  assert.ok(isTimeForWhole(5, 1_000, 14.9));
  assert.ok(!isTimeForWhole(5, 1_000, 15.1));
  assert.ok(isTimeForWhole(-8, 1_000, 1.9));
  assert.ok(!isTimeForWhole(-11, 1_000, 0));
});
