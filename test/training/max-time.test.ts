import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  crossValidate,
  loadCheckpoint,
  type TrainingEvent,
  type TrainSettings,
  train,
} from "#src/index.js";
import { FakeClock } from "../helpers/fake-clock.js";
import { slow } from "../helpers/slow.js";
import { timed } from "../helpers/timed-run.js";
import {
  afterStep,
  endOf,
  inventedText,
  only,
  smallRun,
  tensorsOf,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

/** What is left out is fitted to the number of steps. */
const FITTED = {
  dropout: undefined,
  inputDropout: undefined,
  recurrentDropout: undefined,
  warmupSteps: undefined,
} as unknown as Partial<TrainSettings>;

const isStart = ({ event }: TrainingEvent) => event === "start";

/** Repeats a run whose time was limited by the numbers in its checkpoint, and compares its weights. */
async function assertRepeats(place: Workplace, settings: TrainSettings & { name: string }) {
  const { name } = settings;
  const { config, progress } = await loadCheckpoint(name, place);
  const { replan, totalSteps = 0 } = progress;
  const again = {
    ...settings,
    maxTime: undefined,
    steps: replan[0]?.totalSteps ?? totalSteps,
    replan: replan.map(({ step }, k) => ({ step, steps: replan[k + 1]?.totalSteps ?? totalSteps })),
    evalCharacters: config.training.evalCharacters,
    name: `${name}-again`,
  } as unknown as TrainSettings;
  assert.equal(endOf(await trained(again)).reason, "steps");
  assert.deepEqual(await tensorsOf(place, name), await tensorsOf(place, `${name}-again`), name);
}

slow(
  "A run whose time is limited ends in that time, no matter what the trial said about its speed",
  async (t) => {
    const place = await workplace(t, inventedText(3_000));
    for (const step of [0.01, 0.02, 0.026, 0.1, 0.5]) {
      for (const checkpoint of [0, 0.05]) {
        const settings = smallRun(place, { maxTime: 20, overwrite: true, evalEvery: 200 });
        const costs = { step, eval: 0.02, checkpoint };
        const { events, seconds } = await timed(settings, costs, { tick: 0.02 });
        const end = endOf(events);
        const what = `${step} s a step, ${checkpoint} s a checkpoint: ${seconds} s`;
        assert.equal(end.reason, "max-time");
        assert.ok(seconds >= 0.97 * 20 && seconds <= 1.03 * 20, what);
        assert.equal(end.step, end.totalSteps);
        assert.equal(only(events, "eval").at(-1)?.step, end.step);
      }
    }
  },
);

test("A run whose time is limited counts the time before its first step, and is one step long where no time is left", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const settings = smallRun(place, { maxTime: 20, overwrite: true });
  const half = await timed(settings, { step: 0.02 }, { before: 10 });
  assert.ok(half.seconds >= 18.8 && half.seconds <= 20.6, `${half.seconds} s`);
  const late = await timed(settings, { step: 0.02 }, { before: 25 });
  assert.equal(endOf(late.events).step, 1);
  assert.match(only(late.events, "warning")[0].message, /`maxTime`.*a single step/);
});

slow(
  "A run whose time is limited keeps the number of steps where the trial was wrong by less than a tenth",
  async (t) => {
    const place = await workplace(t, inventedText(3_000));
    const settings = smallRun(place, { maxTime: 20, evalEvery: 100_000 });
    const { events, seconds } = await timed(settings, { step: 0.0102, eval: 0.5 });
    assert.equal(only(events, "replan").length, 0);
    const { totalSteps, replan } = endOf(events);
    assert.deepEqual(
      replan.map((look) => look.totalSteps),
      [totalSteps],
    );
    assert.ok(seconds >= 18.8 && seconds <= 20.6, `${seconds} s`);
  },
);

test("A run whose time is limited reports both numbers of steps where it changed them, and keeps them", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const { events } = await timed(smallRun(place, { maxTime: 20 }), { step: 0.05 });
  const [{ totalSteps: planned = 0 }] = only(events, "start");
  const [replan, ...more] = only(events, "replan");
  assert.equal(more.length, 0);
  assert.equal(replan.before, planned);
  assert.ok(replan.totalSteps < planned);
  const end = endOf(events);
  assert.deepEqual([end.totalSteps, end.step], [replan.totalSteps, replan.totalSteps]);
  assert.deepEqual(end.replan[0], { step: replan.step, totalSteps: planned });
  const { progress } = await loadCheckpoint("run", place);
  assert.deepEqual([progress.totalSteps, progress.replan], [end.totalSteps, end.replan]);
});

slow(
  "A run whose time is limited ends in that time where the machine becomes slower or faster at any time",
  async (t) => {
    const place = await workplace(t, inventedText(3_000));
    for (const [before, after] of [
      [0.02, 0.06],
      [0.06, 0.02],
    ]) {
      for (const share of [0.1, 0.3, 0.5, 0.8]) {
        const name = `from-${before}-at-${share}`;
        const settings = { ...smallRun(place, { maxTime: 20, evalEvery: 100 }), name };
        const costs = (seconds: number) => ({ step: seconds < share * 20 ? before : after });
        const { seconds } = await timed(settings, costs, { tick: 0.02 });
        assert.ok(seconds >= 0.97 * 20 && seconds <= 1.03 * 20, `${name}: ${seconds} s`);
        await assertRepeats(place, settings);
      }
    }
  },
);

slow("A run whose time is limited can be repeated to the same bytes by its numbers", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const costs = { slower: 0.004, faster: 0.001, tried: 0.0021 };
  for (const [name, step] of Object.entries(costs)) {
    const settings = { ...smallRun(place, { ...FITTED, hiddenSize: 32, maxTime: 3 }), name };
    await timed(settings, { step }, { tick: 0.002 });
    const { config } = await loadCheckpoint(name, place);
    assert.ok(config.training.dropout > 0 || config.training.warmupSteps > 0, name);
    await assertRepeats(place, settings);
  }
});

slow(
  "A run whose time is limited killed before, at and after the change goes on to the bytes of its numbers",
  async (t) => {
    const place = await workplace(t, inventedText(3_000));
    const costs = { step: 0.1 };
    const tick = 0.002;
    const base = smallRun(place, { ...FITTED, maxTime: 30, saveEvery: 3, evalEvery: 40 });
    const unbroken = await timed({ ...base, name: "unbroken" }, costs, { tick });
    const [{ step: changedAt }] = only(unbroken.events, "replan");
    const kills: Readonly<Record<string, (event: TrainingEvent) => boolean>> = {
      before: afterStep(7),
      at: ({ event }) => event === "replan",
      after: afterStep(changedAt + 20),
    };
    for (const [name, killAt] of Object.entries(kills)) {
      const settings = { ...base, name };
      const killed = await timed(settings, costs, { tick, killAt });
      assert.notEqual(killed.events.at(-1)?.event, "end");
      const resumed = await timed({ ...settings, resume: true }, costs, { tick });
      assert.ok(only(resumed.events, "start")[0].step > 0);
      await assertRepeats(place, settings);
      if (name === "before") continue;
      assert.deepEqual(endOf(resumed.events).replan, endOf(unbroken.events).replan);
      assert.deepEqual(await tensorsOf(place, name), await tensorsOf(place, "unbroken"), name);
    }
  },
);

slow(
  "A run whose time is limited killed before the change counts the time until then when it goes on",
  async (t) => {
    const place = await workplace(t, inventedText(3_000));
    const settings = smallRun(place, { maxTime: 100, saveEvery: 1 });
    const killAt = (event: TrainingEvent) => event.event === "step" && event.seconds > 4;
    const first = await timed(settings, { step: 0.5 }, { killAt });
    assert.equal(only(first.events, "replan").length, 0);
    const second = await timed({ ...settings, resume: true }, { step: 0.5 });
    assert.equal(only(second.events, "replan").length, 1);
    const seconds = first.seconds + second.seconds;
    assert.ok(seconds >= 85 && seconds <= 105, `${seconds} s`);
    const { seconds: told } = endOf(second.events);
    assert.ok(Math.abs(told - seconds) < 2, `${told} s of ${seconds} s`);
  },
);

test("A run whose time is limited given more time goes on to its end, counted from the beginning of the run", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const first = await timed(smallRun(place, { maxTime: 10 }), { step: 0.05 });
  const more = smallRun(place, { maxTime: 30, resume: true });
  const second = await timed(more, { step: 0.05 });
  const seconds = first.seconds + second.seconds;
  assert.ok(seconds >= 0.97 * 30 && seconds <= 1.03 * 30, `${seconds} s`);
  assert.equal(endOf(second.events).reason, "max-time");
});

test("A run whose time is limited is planned by the speed of windows as short as the lines of its list", async (t) => {
  // 8 characters with the end, in batches of 128 rows: 102,400 characters a second where a step takes 0.01 s. Windows
  // of 64 would learn eight times as fast, so that there would be time for small.
  const lines = inventedText(56_000).match(/.{7}/gs) ?? [];
  const list = lines.map((line) => `${line.replaceAll("\n", " ")}\n`).join("");
  const { out, text } = await workplace(t, list);
  const settings = { ...{ files: [text], out, documents: "lines", maxTime: 10 }, backend: "wasm" };
  const { events } = await timed(settings as TrainSettings, {}, { killAt: isStart });
  assert.equal(only(events, "start")[0].choice?.preset, "tiny");
});

test("A run whose time is limited divides its time among the folds of a cross-validation", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const clock = new FakeClock(0.01);
  const settings = smallRun(place, { maxTime: 60 });
  const steps: number[] = [];
  for await (const event of crossValidate(settings, 3, { clock: clock.read })) {
    clock.charge(event, { step: 0.2 });
    if (event.event === "end") steps.push(event.step);
  }
  assert.equal(steps.length, 3);
  assert.ok(clock.seconds >= 51 && clock.seconds <= 63, `${clock.seconds} s`);
});

test("A run whose time is limited is refused with a wrong change of its number of steps, which is named", async (t) => {
  const place = await workplace(t);
  const replan = [{ step: 10, steps: 30 }];
  for (const settings of [
    { replan },
    { replan, steps: 40, epochs: 3 },
    { replan, steps: 40, maxTime: 9 },
    { replan, steps: 10 },
    { replan: [{ step: 31, steps: 30 }], steps: 40 },
    { replan: [...replan, { step: 10, steps: 40 }], steps: 40 },
    { replan: [...replan, { step: 30, steps: 40 }], steps: 40 },
  ]) {
    await assert.rejects(trained(smallRun(place, settings)), /^CharnnError: replan /);
  }
});

slow(
  "An evaluation that would take too long scores a part of the text, the same each time, and all of it at the end where there is time",
  async (t) => {
    const { events, seconds } = await longEvaluations(t, 0.1);
    const [{ config }] = only(events, "start");
    const { evalCharacters = 0 } = config.training;
    assert.ok(evalCharacters >= 10_000 && evalCharacters < 130_000, `${evalCharacters}`);
    const { wholeLoss, bestLoss, evalCharacters: told } = endOf(events);
    assert.equal(told, evalCharacters);
    assert.ok(wholeLoss !== undefined && bestLoss !== undefined && wholeLoss !== bestLoss);
    assert.ok(seconds >= 0.97 * 60 && seconds <= 1.03 * 60, `${seconds} s`);
  },
);

test("An evaluation that would take too long leaves the score of all of the text out where there is no time for it", async (t) => {
  const { events } = await longEvaluations(t, 30);
  const { wholeLoss, bestLoss, evalCharacters } = endOf(events);
  assert.equal(wholeLoss, undefined);
  assert.ok(bestLoss !== undefined && evalCharacters !== undefined);
});

test("An evaluation that would take too long can be shortened by a setting; all of the text is scored at the end then", async (t) => {
  const place = await workplace(t, inventedText(60_000));
  const settings = { validation: 0.5, steps: 4, evalEvery: 2 };
  const all = endOf(
    await trained(smallRun(place, { ...settings, evalCharacters: 30_000, name: "all" })),
  );
  const end = endOf(await trained(smallRun(place, { ...settings, evalCharacters: 9_000 })));
  assert.equal(end.evalCharacters, 9_000);
  assert.equal(end.wholeLoss, all.bestLoss);
  assert.notEqual(end.wholeLoss, end.bestLoss);
  assert.deepEqual([all.evalCharacters, all.wholeLoss], [undefined, undefined]);
  assert.deepEqual(await tensorsOf(place, "run"), await tensorsOf(place, "all"));
});

/** A run for which scoring the held-out part takes many times what a step does, or more. */
async function longEvaluations(t: TestContext, evaluation: number) {
  const place = await workplace(t, inventedText(300_000));
  const settings = { validation: 0.5, evalEvery: 10, maxTime: 60 };
  return timed(smallRun(place, settings), { step: 0.1, eval: evaluation }, { tick: 0.1 });
}

slow(
  "Before a run starts, reading and counting a long text are reported, and a consumer may leave then",
  async (t) => {
    const line = inventedText(20_000);
    const place = await workplace(t, line.repeat(110));
    const settings = smallRun(place, { steps: 1, validation: 0.01 });
    const events = await trained(settings);
    const start = events.findIndex(({ event }) => event === "start");
    const before = only(events.slice(0, start), "preparing");
    assert.deepEqual([...new Set(before.map(({ doing }) => doing))], ["reading", "counting"]);
    assert.equal(only(events, "preparing").length, before.length);
    assert.ok(before.length > 8 && before.every(({ share }) => share >= 0 && share <= 1));
    for await (const { event } of train({ ...settings, name: "left" })) {
      assert.equal(event, "preparing");
      break;
    }
    await assert.rejects(loadCheckpoint("left", place));
    await trained({ ...settings, name: "left" });
  },
);
