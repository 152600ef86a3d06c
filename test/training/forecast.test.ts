import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { stepsInTime } from "#src/training/forecast.js";

describe("The steps that fit into a time", () => {
  it("are the time by that of a step where evaluations take none", () => {
    const speed = { secondsPerStep: 0.25, secondsPerEvaluation: 0 };
    assert.equal(stepsInTime(60, speed, 500, 100), 240);
  });

  it("leave time for the evaluations, the last one included", () => {
    const seconds = fc.double({ min: 1, max: 1e5, noNaN: true });
    const cost = fc.double({ min: 1e-4, max: 2, noNaN: true });
    const every = fc.integer({ min: 1, max: 2_000 });
    const property = fc.property(
      seconds,
      cost,
      cost,
      every,
      every,
      (time, step, evaluation, a, b) => {
        const speed = { secondsPerStep: step, secondsPerEvaluation: evaluation };
        const steps = stepsInTime(time, speed, a, b);
        const timeOf = (count: number) => count * step + (count / a + count / b + 1) * evaluation;
        if (steps > 1) assert.ok(timeOf(steps) <= time * (1 + 1e-9), `${timeOf(steps)} s`);
        assert.ok(timeOf(steps + 1) > time * (1 - 1e-9), `${timeOf(steps + 1)} s`);
      },
    );
    fc.assert(property);
  });

  it("are at least one", () => {
    const speed = { secondsPerStep: 10, secondsPerEvaluation: 100 };
    assert.equal(stepsInTime(1, speed, 500, 100), 1);
  });
});
