/** When a run is saved. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import type { TrainingEvent } from "#src/index.js";
import { breakGradients } from "../helpers/broken-kernel.js";
import { timed } from "../helpers/timed-run.js";
import {
  endOf,
  inventedText,
  only,
  smallRun,
  tensorsOf,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

test("A run is saved after five minutes at the latest, which changes nothing of it", async (t) => {
  const place = await workplace(t);
  const settings = { steps: 12, evalEvery: 10, saveEvery: 100 };
  const { events } = await timed(smallRun(place, settings), { step: 100, eval: 1 });
  const saves = only(events, "checkpoint").filter(({ kind }) => kind === "last");
  assert.deepEqual([...new Set(saves.map(({ step }) => step))], [3, 6, 9, 10, 12]);
  await trained(smallRun(place, { ...settings, name: "fast" }));
  assert.deepEqual(await tensorsOf(place, "run"), await tensorsOf(place, "fast"));
});

test("A run whose time is limited is saved every 500 steps, or less often where that would take more than 1 % of it", async (t) => {
  const place = await workplace(t);
  const savedAt = async (saveEvery: number | undefined, checkpoint: number) => {
    const settings = smallRun(place, { maxTime: 30, evalEvery: 5_000, overwrite: true, saveEvery });
    const { events } = await timed(settings, { step: 0.01, checkpoint }, { tick: 1e-4 });
    assert.ok(endOf(events).step >= 2_000, `${endOf(events).step}`);
    const saves = only(events, "checkpoint").filter(({ kind }) => kind === "last");
    return saves.map(({ step }) => step).filter((step) => step % 500 === 0 && step <= 2_000);
  };
  const all = [500, 1_000, 1_500, 2_000];
  assert.deepEqual(await savedAt(undefined, 0.001), all);
  assert.deepEqual(await savedAt(500, 0.5), all);
  assert.ok((await savedAt(undefined, 0.5)).length <= 1);
});

test("A run is saved before an evaluation that takes longer", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 12, evalEvery: 5, saveEvery: 100 });
  const { events } = await timed(settings, { step: 1, eval: 400 });
  const kinds = events.flatMap((event) =>
    event.event === "eval" || (event.event === "checkpoint" && event.kind === "last")
      ? [`${event.event} ${event.step}`]
      : [],
  );
  assert.deepEqual(kinds, [
    ...["eval 5", "checkpoint 5"],
    ...["checkpoint 10", "eval 10", "checkpoint 10"],
    ...["checkpoint 12", "eval 12", "checkpoint 12"],
  ]);
});

/** A run of some 500 steps that is evaluated 25 times, and may save for 0.5 s in all. */
const WAITING = { maxTime: 50, evalEvery: 20, learningRate: 0.05, schedule: "constant" } as const;
const COSTS = { step: 0.1, checkpoint: 0.1 };

function progressOf({ out }: Workplace, kind: "best" | "last") {
  return readCheckpoint(path.join(out, "run", `${kind}.safetensors`)).then(
    ({ progress }) => progress,
  );
}

/** Evaluations and saves, in order: "eval 20", "best 20", "last 20". */
function marksOf(events: readonly TrainingEvent[]): string[] {
  return events.flatMap((event) =>
    event.event === "eval"
      ? [`eval ${event.step}`]
      : event.event === "checkpoint"
        ? [`${event.kind} ${event.step}`]
        : [],
  );
}

test("A best checkpoint waits in memory where saving takes more than 1 % of a limited time, and is saved with the last one", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const { events } = await timed(smallRun(place, WAITING), COSTS);
  const { step, bestStep = 0 } = endOf(events);
  const evaluated = only(events, "eval").filter(({ best }) => best);
  const saved = only(events, "checkpoint").filter(({ kind }) => kind === "best");
  assert.ok(bestStep > 0 && bestStep < step, `${bestStep} of ${step}`);
  assert.ok(saved.length >= 2 && saved.length < evaluated.length / 2, marksOf(events).join(", "));
  assert.ok(saved.every((best) => evaluated.some((event) => event.step === best.step)));
  // The last one knows of the best one, so it is saved after it.
  const marks = marksOf(events);
  for (const [index, mark] of marks.entries()) {
    if (mark.startsWith("best")) assert.match(marks[index + 1], /^last/, marks.join(", "));
  }
  const [best, last] = [await progressOf(place, "best"), await progressOf(place, "last")];
  assert.deepEqual([best.step, best.bestStep, last.bestStep], [bestStep, bestStep, bestStep]);
  assert.equal(last.step, step);
});

test("Where memory is short, each best checkpoint is saved at once", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const { events } = await timed(smallRun(place, WAITING), COSTS, {
    killAt: (event) => {
      if (event.event === "start") {
        t.mock.method(process.memoryUsage, "rss", () => Number.MAX_SAFE_INTEGER);
      }
      return false;
    },
  });
  const marks = marksOf(events);
  const evaluated = only(events, "eval").filter(({ best }) => best);
  assert.ok(evaluated.length > 5, `${evaluated.length}`);
  for (const { step } of evaluated) {
    assert.equal(marks[marks.indexOf(`eval ${step}`) + 1], `best ${step}`, marks.join(", "));
  }
});

test("A best checkpoint that has waited has the bytes of one that was saved at once", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const { events } = await timed(smallRun(place, WAITING), COSTS);
  const { step, bestStep = 0 } = endOf(events);
  assert.ok(only(events, "checkpoint").every((save) => save.kind !== "best" || save.step < step));
  const best = async (name: string) => {
    const file = path.join(place.out, name, "best.safetensors");
    return (await readCheckpoint(file)).tensors;
  };
  await trained({ ...smallRun(place, { ...WAITING, maxTime: undefined, steps: step }), name: "b" });
  assert.ok(bestStep > 0);
  assert.deepEqual(await best("run"), await best("b"));
});

test("A run that is killed while its best checkpoint waits goes on from its last one, and comes to the same", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const settings = smallRun(place, WAITING);
  const unbroken = await timed({ ...settings, name: "unbroken" }, COSTS);
  const [first, second] = only(unbroken.events, "eval").filter(({ best }) => best);
  const killAt = (event: TrainingEvent) => event.event === "step" && event.step > second.step + 2;
  const { events } = await timed(settings, COSTS, { killAt });
  assert.equal(marksOf(events).at(-1), `eval ${second.step}`);
  const [best, last] = [await progressOf(place, "best"), await progressOf(place, "last")];
  assert.deepEqual([best.bestStep, last.bestStep], [first.step, first.step]);
  const resumed = await timed({ ...settings, resume: true }, COSTS);
  assert.equal(only(resumed.events, "start")[0].step, last.step);
  const again = only(resumed.events, "eval").find(({ step }) => step === second.step);
  assert.equal(again?.validationLoss, second.validationLoss);
  const { bestStep } = endOf(resumed.events);
  assert.deepEqual([(await progressOf(place, "best")).step, bestStep], [bestStep, bestStep]);
});

test("A run that goes back while its best checkpoint waits goes back to that", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const settings = smallRun(place, WAITING);
  const unbroken = await timed({ ...settings, name: "unbroken" }, COSTS);
  const [, second] = only(unbroken.events, "eval").filter(({ best }) => best);
  let step = 0;
  breakGradients(t, () => step > second.step && step <= second.step + 5);
  const { events } = await timed(settings, COSTS, {
    killAt: (event) => {
      if (event.event === "step") step++;
      return false;
    },
  });
  const [warning] = only(events, "warning");
  assert.match(warning.message, new RegExp(`going back to step ${second.step}`, "i"));
  const marks = marksOf(events);
  assert.equal(marks[marks.indexOf(`eval ${second.step}`) + 1], `best ${second.step}`);
});
