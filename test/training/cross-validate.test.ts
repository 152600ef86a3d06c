import assert from "node:assert/strict";
import { test } from "node:test";
import { crossValidate, loadCheckpoint, type TrainingEvent } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { assertClose } from "../helpers/numbers.js";
import { afterStep, only, smallRun, workplace } from "../helpers/training.js";

test("Cross-validation trains a run for each fold, and gives the mean and the deviation of their losses", async (t) => {
  const place = await workplace(t);
  const events = await collected(crossValidate(smallRun(place, { steps: 8, test: 0.1 }), 3));
  const ends = only(events, "end");
  const losses = ends.map(({ bestLoss = Number.NaN }) => bestLoss);
  const summary = events.at(-1);
  assert.ok(summary?.event === "cross-validation");
  assert.deepEqual(summary.losses, losses);
  const mean = (losses[0] + losses[1] + losses[2]) / 3;
  const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / 2;
  assertClose([summary.mean, summary.deviation], [mean, Math.sqrt(variance)], 1e-12, "summary");
  const held = [];
  for (let index = 1; index <= 3; index++) {
    const { config } = await loadCheckpoint(`run-fold-${index}`, place);
    assert.deepEqual(config.training.fold, { index, of: 3 });
    held.push(config.text.validationCharacters);
  }
  assert.equal(held[0] + held[1] + held[2], 630);
  assert.equal(new Set(losses).size, 3);
});

test("Cross-validation resumes where it was interrupted", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 6 });
  const controller = new AbortController();
  const events: TrainingEvent[] = [];
  for await (const event of crossValidate(settings, 2, { signal: controller.signal })) {
    events.push(event);
    if (only(events, "start").length === 2 && afterStep(3)(event)) controller.abort();
  }
  assert.equal(events.at(-1)?.event, "end");
  const resumed = await collected(crossValidate({ ...settings, resume: true }, 2));
  assert.deepEqual(
    only(resumed, "end").map(({ reason }) => reason),
    ["done", "steps"],
  );
  const whole = await collected(crossValidate({ ...settings, name: "whole" }, 2));
  assert.deepEqual(resumed.at(-1), whole.at(-1));
});

test("Cross-validation with another number of folds can't be resumed, and the error gives the right one", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 2 });
  await collected(crossValidate(settings, 3));
  await assert.rejects(
    collected(crossValidate({ ...settings, resume: true }, 2)),
    failsWith(
      "CANNOT_RESUME",
      "crossValidate is 3 in the run run-fold-1, not 2",
      "`crossValidate: 3`",
    ),
  );
});

test("Cross-validation without a name can't be resumed, since it can't be told from others", async (t) => {
  const place = await workplace(t);
  const { name, ...unnamed } = smallRun(place, { steps: 2 });
  await assert.rejects(
    collected(crossValidate({ ...unnamed, resume: true }, 2)),
    failsWith("INVALID_SETTING", "`name`"),
  );
});

test("Cross-validation needs two folds or more, and no more than a hundred", async (t) => {
  const place = await workplace(t);
  for (const folds of [0, 1, 1.5, 101, Number.NaN]) {
    await assert.rejects(
      collected(crossValidate(smallRun(place), folds)),
      failsWith("INVALID_SETTING", /^crossValidate must be a whole number from 2 to 100/),
    );
  }
});

test("Cross-validation can't be combined with another validation part", async (t) => {
  const place = await workplace(t);
  for (const other of [{ validation: 0.2 }, { validationFile: place.text }]) {
    await assert.rejects(
      collected(crossValidate(smallRun(place, other), 2)),
      failsWith("INVALID_SETTING", Object.keys(other)[0]),
    );
  }
});

async function collected(events: AsyncIterable<TrainingEvent>): Promise<TrainingEvent[]> {
  const all = [];
  for await (const event of events) all.push(event);
  return all;
}
