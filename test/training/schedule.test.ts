import assert from "node:assert/strict";
import { test } from "node:test";
import { SCHEDULE_NAMES, type ScheduleName } from "#src/config/names.js";
import { loadCheckpoint, type TrainSettings } from "#src/index.js";
import { learningRateAt } from "#src/optimization/schedule.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { assertClose } from "../helpers/numbers.js";
import { only, smallRun, trained, workplace } from "../helpers/training.js";

const RATE = 0.004;
const STEPS = 200;
/** A fraction of the full rate at which schedules end. */
const FINAL = 0.2;

function rateAt(
  step: number,
  totalSteps: number | undefined,
  settings: { schedule: ScheduleName; warmupSteps: number; finalRate?: number },
  rateFactor = 1,
): number {
  return learningRateAt({ step, totalSteps, rateFactor }, { learningRate: RATE, ...settings });
}

const expected = {
  constant: { half: RATE, last: RATE },
  plateau: { half: RATE, last: RATE },
  linear: { half: RATE / 2, last: RATE / 200 },
  cosine: { half: RATE / 2, last: (RATE * (1 + Math.cos((Math.PI * 199) / 200))) / 2 },
  exponential: { half: RATE / 10, last: RATE * 0.01 ** (199 / 200) },
} as const;

/** The same with a final rate. */
const expectedWithFinal = {
  constant: { half: RATE, last: RATE },
  plateau: { half: RATE, last: RATE },
  linear: { half: (RATE * (1 + FINAL)) / 2, last: RATE * (FINAL + (1 - FINAL) / 200) },
  cosine: {
    half: (RATE * (1 + FINAL)) / 2,
    last: RATE * (1 - ((1 - FINAL) * (1 - Math.cos((Math.PI * 199) / 200))) / 2),
  },
  exponential: { half: RATE * Math.sqrt(FINAL), last: RATE * FINAL ** (199 / 200) },
} as const;

for (const schedule of SCHEDULE_NAMES) {
  const at = (step: number, warmupSteps = 0, steps = STEPS) =>
    rateAt(step, steps, { schedule, warmupSteps });

  test(`A learning rate on a ${schedule} schedule goes from the full rate to the end`, () => {
    const { half, last } = expected[schedule];
    assert.equal(at(0), RATE);
    assertClose([at(STEPS / 2), at(STEPS - 1)], [half, last], 1e-12, schedule);
  });

  test(`A learning rate on a ${schedule} schedule rises linearly during the warm-up, and then follows the schedule`, () => {
    const rising = [0, 1, 2, 3].map((step) => at(step, 4));
    assertClose(
      rising,
      [1, 2, 3, 4].map((step) => (RATE * step) / 5),
      1e-12,
      "warm-up",
    );
    assert.equal(at(4, 4), RATE);
    assertClose([at(104, 4, 204)], [expected[schedule].half], 1e-12, "half of what is left");
  });

  test(`A learning rate on a ${schedule} schedule is above 0, never above the full rate, and falls`, () => {
    const count = fc.integer({ min: 1, max: 500 });
    const property = fc.property(count, fc.integer({ min: 0, max: 600 }), (steps, warmupSteps) => {
      for (let step = 0; step < steps; step++) {
        const rate = at(step, warmupSteps, steps);
        assert.ok(rate > 0 && rate <= RATE, `${rate} at step ${step}`);
        if (step > warmupSteps) assert.ok(rate <= at(step - 1, warmupSteps, steps));
      }
    });
    fc.assert(property, { numRuns: 30 });
  });
}

for (const schedule of SCHEDULE_NAMES) {
  test(`A learning rate on a ${schedule} schedule goes from the full rate to a final one, and falls on its way there`, () => {
    const at = (step: number) =>
      rateAt(step, STEPS, { schedule, warmupSteps: 0, finalRate: FINAL });
    const { half, last } = expectedWithFinal[schedule];
    assert.equal(at(0), RATE);
    assertClose([at(STEPS / 2), at(STEPS - 1)], [half, last], 1e-12, schedule);
    for (let step = 1; step < STEPS; step++) assert.ok(at(step) <= at(step - 1), `${step}`);
  });
}

test("The learning rate ends at a fifth of its peak by default, at 0 without averaged weights, or at the final rate that was given", async (t) => {
  const place = await workplace(t);
  const finalRateOf = async (settings: Partial<TrainSettings>) => {
    const events = await trained(smallRun(place, { steps: 10, overwrite: true, ...settings }));
    const rates = only(events, "step").map(({ learningRate }) => learningRate);
    const { config } = await loadCheckpoint("run", place);
    return { rates, final: config.training.finalRate };
  };
  const usual = await finalRateOf({});
  assert.equal(usual.final, 0.2);
  const last = rateAt(9, 10, { schedule: "cosine", warmupSteps: 0, finalRate: 0.2 });
  assertClose([usual.rates[9] ?? 0], [(last / RATE) * (usual.rates[0] ?? 0)], 1e-12, "last");
  assert.equal((await finalRateOf({ averageDecay: 0 })).final, 0);
  assert.equal((await finalRateOf({ finalRate: 0.5, schedule: "linear" })).final, 0.5);
  for (const schedule of ["constant", "plateau"] as const) {
    assert.equal((await finalRateOf({ schedule })).final, undefined);
    await assert.rejects(
      finalRateOf({ schedule, finalRate: 0.5 }),
      failsWith(
        "INVALID_SETTING",
        new RegExp(`finalRate is 0.5, and a ${schedule} schedule has none`),
      ),
    );
  }
});

test("A learning rate without a last step stays where it starts", () => {
  const plateau = { schedule: "plateau", warmupSteps: 0 } as const;
  assert.equal(rateAt(1_000_000, undefined, plateau), RATE);
});

test("A learning rate is multiplied by a factor after plateaus and rollbacks", () => {
  for (const schedule of SCHEDULE_NAMES) {
    for (const step of [0, 3, 50]) {
      const settings = { schedule, warmupSteps: 5 };
      const whole = rateAt(step, STEPS, settings);
      assertClose([rateAt(step, STEPS, settings, 0.25)], [whole / 4], 1e-12, schedule);
    }
  }
});

test("A learning rate continues from its value when the number of steps changes, and ends where it would have", () => {
  for (const schedule of SCHEDULE_NAMES) {
    for (const warmupSteps of [0, 10, 30]) {
      const settings = { schedule, warmupSteps, learningRate: RATE };
      for (const totalSteps of [60, 150, 200, 1_000]) {
        const replan = [{ step: 20, totalSteps: 200 }];
        const at = (step: number) =>
          learningRateAt({ step, totalSteps, replan, rateFactor: 1 }, settings);
        for (let step = 0; step <= 20; step++) {
          assert.equal(at(step), rateAt(step, 200, { schedule, warmupSteps }));
        }
        for (let step = 1; step < totalSteps; step++) {
          const change = Math.abs(at(step) - at(step - 1));
          // Of a schedule over 30 steps, the fewest that are left.
          assert.ok(change <= RATE / 6, `${schedule}, ${warmupSteps}, ${totalSteps}: ${step}`);
        }
        const plain = rateAt(totalSteps, totalSteps, { schedule, warmupSteps });
        assertClose([at(totalSteps)], [plain], 1e-12, schedule);
      }
    }
  }
});

test("A learning rate continues so at every change, and is not affected by a change to the same number", () => {
  for (const schedule of SCHEDULE_NAMES) {
    const settings = { schedule, warmupSteps: 10, learningRate: RATE };
    const totalSteps = 90;
    const once = [{ step: 20, totalSteps: 200 }];
    const twice = [...once, { step: 60, totalSteps: 120 }];
    const more = [{ step: 5, totalSteps: 200 }, ...twice, { step: 70, totalSteps }];
    const at = (step: number, replan: typeof once, total = totalSteps) =>
      learningRateAt({ step, totalSteps: total, replan, rateFactor: 1 }, settings);
    for (let step = 0; step <= totalSteps; step++) {
      if (step <= 60) assert.equal(at(step, twice), at(step, once, 120), `${schedule}, ${step}`);
      assert.equal(at(step, more), at(step, twice), `${schedule}, ${step}`);
      const change = Math.abs(at(step, twice) - at(Math.max(step - 1, 0), twice));
      assert.ok(step <= 10 || change <= RATE / 15, `${schedule}, ${step}`);
    }
    const end = rateAt(200, 200, { schedule, warmupSteps: 10 });
    assertClose([at(totalSteps, twice)], [end], 1e-12, schedule);
  }
});
