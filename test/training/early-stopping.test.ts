import assert from "node:assert/strict";
import { test } from "node:test";
import { firstProgress } from "#src/config/run.js";
import { noteValidationLoss } from "#src/training/progress.js";
import { lossLimitReached } from "#src/training/run-end.js";
import { failsWith } from "../helpers/failure.js";
import { assertClose } from "../helpers/numbers.js";
import { endOf, only, smallRun, trained, workplace } from "../helpers/training.js";

test("A validation loss is the best when it is the lowest so far", () => {
  const progress = firstProgress();
  const best = [2, 1.5, 1.6, 1.5, 1.4].map((loss, index) => {
    progress.step = 10 * (index + 1);
    return noteValidationLoss(progress, loss, "cosine");
  });
  assert.deepEqual(best, [true, true, false, false, true]);
  assert.deepEqual([progress.bestLoss, progress.bestStep], [1.4, 50]);
  assert.deepEqual([progress.rateFactor, progress.evaluationsSinceBest], [1, 0]);
});

test("A validation loss that does not fall three times halves the rate of the plateau schedule", () => {
  const progress = firstProgress();
  const factors = [2, 2.1, 2, 2.2, 2.3, 2.4, 2.5, 1.9, 2].map((loss) => {
    noteValidationLoss(progress, loss, "plateau");
    return progress.rateFactor;
  });
  assert.deepEqual(factors, [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
});

test("A validation loss that is low enough, or not lower for too long, ends a run", () => {
  const progress = firstProgress();
  const limits = { patience: 2, targetLoss: 1 };
  const reasons = [2, 3, 1.9, 2, 1.95].map((loss) => {
    noteValidationLoss(progress, loss, "constant");
    return lossLimitReached(limits, progress);
  });
  assert.deepEqual(reasons, [undefined, undefined, undefined, undefined, "patience"]);
  noteValidationLoss(progress, 0.9, "constant");
  assert.equal(lossLimitReached(limits, progress), "target-loss");
  assert.equal(lossLimitReached({}, progress), undefined);
});

test("A run with a limit on its validation loss goes on until the validation loss is low enough", async (t) => {
  const place = await workplace(t, "thou art more lovely\n".repeat(30));
  const settings = smallRun(place, { hiddenSize: 16, learningRate: 0.02, targetLoss: 0.4 });
  const events = await trained(settings);
  const [start] = only(events, "start");
  assert.deepEqual([start.totalSteps, start.expectedSeconds], [undefined, undefined]);
  assert.equal(start.config.training.schedule, "plateau");
  const losses = only(events, "eval").map(({ validationLoss = Number.NaN }) => validationLoss);
  assert.ok(losses.slice(0, -1).every((loss) => loss > 0.4) && (losses.at(-1) ?? 1) <= 0.4);
  assert.equal(endOf(events).reason, "target-loss");
  assert.equal(endOf(await trained({ ...settings, resume: true })).reason, "done");
});

test("A run with a limit on its validation loss stops when evaluations bring no lower loss, and not before", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { patience: 2, evalEvery: 3, learningRate: 0.05, epochs: 50 });
  const events = await trained(settings);
  assert.equal(endOf(events).reason, "patience");
  const best = only(events, "eval").map((event) => event.best);
  assert.deepEqual(best.slice(-3), [true, false, false]);
  // With more patience it goes on from there.
  const longer = await trained({ ...settings, resume: true, patience: 3 });
  assert.ok(only(longer, "step").length > 0);
});

test("A run with a limit on its validation loss halves the learning rate on a plateau", async (t) => {
  const place = await workplace(t);
  const settings = { schedule: "plateau", learningRate: 0.1, evalEvery: 2, steps: 60 } as const;
  const events = await trained(smallRun(place, settings));
  const rates = [...new Set(only(events, "step").map(({ learningRate }) => learningRate))];
  assert.ok(rates.length > 1, "there was no plateau");
  assertClose(
    rates,
    rates.map((_, index) => 0.1 * 0.5 ** index),
    1e-12,
    "rates",
  );
});

test("A run with a limit on its validation loss can't have a schedule that depends on the number of steps", async (t) => {
  const place = await workplace(t);
  for (const schedule of ["cosine", "linear", "exponential"] as const) {
    await assert.rejects(
      trained(smallRun(place, { schedule, patience: 3 })),
      failsWith("INVALID_SETTING", schedule, "`epochs`", "plateau"),
    );
  }
});
