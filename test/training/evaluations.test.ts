import assert from "node:assert/strict";
import { test } from "node:test";
import { charactersRead } from "#src/data/evaluation-batches.js";
import type { TrainingEvent, TrainSettings } from "#src/index.js";
import { evaluationsWithin } from "#src/planning/evaluations.js";
import fc from "../helpers/fast-check.js";
import { assertClose } from "../helpers/numbers.js";
import { timed } from "../helpers/timed-run.js";
import { endOf, inventedText, only, smallRun, trained, workplace } from "../helpers/training.js";

/** The fraction of a run that evaluations may take. */
const MOST = 0.04;
/** Characters in each piece of a part. */
const PIECE = 512;

function textOf(validationCharacters: number) {
  const facts = { fingerprint: "", characters: 0, trainCharacters: 0, testCharacters: 0 };
  return { ...facts, validationCharacters, scoredPiece: PIECE };
}

/** The cost of evaluations, where this many characters are held out. */
function costOf(
  { count, characters }: ReturnType<typeof evaluationsWithin>,
  heldOut: number,
  { perCharacterRead, besides }: Parameters<typeof evaluationsWithin>[2],
): number {
  return (
    count * (charactersRead(heldOut, undefined, characters, PIECE) * perCharacterRead + besides)
  );
}

test("Evaluations of the whole held-out part take at most 4 % of a run, and there are 10 to 40 of them", () => {
  const costs = { perCharacterRead: 3e-5, besides: 0.1 };
  // Each evaluation takes 0.4 s.
  const evaluations = (seconds: number) => evaluationsWithin(seconds, textOf(10_001), costs, {});
  assert.deepEqual(evaluations(10_000), { count: 40, characters: undefined });
  assert.deepEqual(evaluations(201), { count: 20, characters: undefined });
  assert.deepEqual(evaluations(101), { count: 10, characters: undefined });
});

test("Where there is time for fewer than 10 evaluations of the whole held-out part, 10 score a part of it", () => {
  const costs = { perCharacterRead: 1e-5, besides: 0.01 };
  const found = evaluationsWithin(110, textOf(100_000), costs, {});
  assert.equal(found.count, 10);
  // The whole is scored at the end.
  const total = costOf(found, 100_000, costs) + 1;
  assert.ok(total > 0.6 * MOST * 110 && total <= MOST * 110, `${total} s`);
});

test("Evaluations take at most 4 % of a run, or there are no more than two", () => {
  const property = fc.property(
    fc.double({ min: 1, max: 1e5, noNaN: true }),
    fc.integer({ min: 0, max: 1e7 }),
    fc.double({ min: 1e-7, max: 1e-3, noNaN: true }),
    fc.double({ min: 0, max: 10, noNaN: true }),
    (time, heldOut, perCharacterRead, besides) => {
      const costs = { perCharacterRead, besides };
      const found = evaluationsWithin(time, textOf(heldOut), costs, {});
      assert.ok(found.count >= 2 && found.count <= 40);
      if (found.count > 2) {
        const total = costOf(found, heldOut, costs);
        assert.ok(total <= MOST * time * 1.001, `${total} s of ${time} s`);
      }
      if (found.characters !== undefined) {
        assert.ok(found.characters >= 10_000 && found.characters < 0.9 * heldOut);
        assert.ok(found.count <= 10);
      }
    },
  );
  fc.assert(property);
});

test("Where the user sets the number of evaluations, each scores as many characters as there is time for", () => {
  const costs = { perCharacterRead: 1e-5, besides: 0.01 };
  const found = evaluationsWithin(100, textOf(1_000_000), costs, { count: 8 });
  assert.equal(found.count, 8);
  assert.ok((found.characters ?? 0) > 25_000 && (found.characters ?? 0) < 60_000);
  const few = evaluationsWithin(10_000, textOf(1_000_000), costs, { count: 8 });
  assert.deepEqual(few, { count: 8, characters: undefined });
  const characters = evaluationsWithin(100, textOf(1_000_000), costs, { characters: 30_000 });
  assert.equal(characters.characters, 30_000);
  assert.ok(characters.count >= 8 && characters.count <= 12, `${characters.count}`);
});

function stepsOf(events: readonly TrainingEvent[]): number[] {
  return only(events, "eval").map(({ step }) => step);
}

test("A run of several epochs is evaluated at the end of each or of every few, and as often in between", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const stepsPerEpoch = Math.floor((3_000 * 0.9) / (4 * 8));
  const inEpochs = async (settings: Partial<TrainSettings>) => {
    const events = await trained(smallRun(place, { evalEvery: undefined, ...settings }));
    return (stepsOf(events)[0] ?? 0) / stepsPerEpoch;
  };
  for (const epochs of [2, 3.3, 5.5, 12, 30]) {
    const steps = Math.round(epochs * stepsPerEpoch);
    const every = await inEpochs({ steps, name: `${epochs}` });
    const whole = every > 1 ? every : 1 / every;
    assertClose([Math.round(whole)], [whole], 0.03, `every ${every} epochs of ${epochs}`);
  }
  assert.equal(await inEpochs({ steps: 10, evalEvery: 7 }), 7 / stepsPerEpoch);
});

test("A run is evaluated at even distances, and at its end", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { evalEvery: undefined, epochs: 4 });
  const events = await trained(settings);
  const steps = stepsOf(events);
  const { step: last } = endOf(events);
  const distances = steps.map((step, k) => step - (steps[k - 1] ?? 0));
  assert.equal(steps.at(-1), last);
  assert.ok(steps.length >= 2 && steps.length <= 40);
  assert.equal(new Set(distances.slice(0, -1)).size, 1, `${distances}`);
  const again = await trained({ ...settings, name: "again" });
  assert.deepEqual(stepsOf(again), steps);
});

test("A run is not evaluated a few steps before its end", async (t) => {
  const place = await workplace(t);
  const near = await trained(smallRun(place, { evalEvery: 20, steps: 41, name: "near" }));
  assert.deepEqual(stepsOf(near), [20, 41]);
  const far = await trained(smallRun(place, { evalEvery: 20, steps: 42, name: "far" }));
  assert.deepEqual(stepsOf(far), [20, 40, 42]);
});

test("A run whose time is limited spends at most 4 % of it on evaluations", async (t) => {
  const place = await workplace(t, inventedText(3_000));
  const settings = smallRun(place, { maxTime: 60, evalEvery: undefined });
  // The trial of a sample says half a second.
  const { events } = await timed(settings, { step: 0.01, eval: 0.5 }, { tick: 0.01 });
  const evaluations = only(events, "eval").length;
  assert.ok(evaluations >= 3 && 0.5 * evaluations <= MOST * 60, `${evaluations}`);
  assert.equal(stepsOf(events).at(-1), endOf(events).step);
});
