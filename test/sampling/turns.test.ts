/** Writing text leaves the rest of the process its turns, and hears its signal. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { loadCheckpoint, sample } from "#src/index.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";
import { abortedAfterTurns, tickingClock, turnsDuring } from "../helpers/turns.js";
import { undisposed } from "../helpers/undisposed.js";

for (const [how, all] of [
  [
    "one after the other",
    async (works) => {
      for (const work of works) await work();
    },
  ],
  ["at the same time", (works) => Promise.all(works.map((work) => work()))],
] satisfies [how: string, all: (works: (() => Promise<void>)[]) => Promise<unknown>][]) {
  test(`Short samples that are written ${how} give others their turn`, async (t) => {
    const checkpoint = await writer(t);
    const works = Array.from({ length: 100 }, (_, randomSeed) => async () => {
      for await (const _ of sample(checkpoint, { length: 3, randomSeed, backend: "wasm" }));
    });
    await works[0]();
    tickingClock(t);
    const turns = await turnsDuring(() => all(works));
    // Each looks for a turn before each of its characters, and more often.
    assert.ok(turns > 10 * works.length, `${turns} turns`);
  });
}

test("A long seed is read with turns for others, and no longer than the signal lets it", async (t) => {
  const checkpoint = await writer(t);
  const seed = inventedText(200_000);
  const before = undisposed();
  tickingClock(t);
  const reason = new Error("changed my mind");
  const signal = abortedAfterTurns(20, reason);
  const texts = sample(checkpoint, { seed, backend: "wasm" }, { signal });
  await assert.rejects(texts.next(), (error) => error === reason);
  assert.equal(undisposed(), before);
});

test("A long seed is looked through with turns for others, and no longer than the signal lets it", async (t) => {
  const checkpoint = await writer(t);
  const seed = `${inventedText(20_000).repeat(1_000)}\u{1f388}`;
  const reason = new Error("changed my mind");
  const whole = sample(checkpoint, { seed, backend: "wasm" });
  await assert.rejects(whole.next(), { code: "UNKNOWN_CHARACTER", message: /🎈/u });
  tickingClock(t);
  const signal = abortedAfterTurns(1, reason);
  const texts = sample(checkpoint, { seed, backend: "wasm" }, { signal });
  await assert.rejects(texts.next(), (error) => error === reason);
});

test("A signal that was aborted before is the end of it", async (t) => {
  const checkpoint = await writer(t);
  const reason = new Error("changed my mind");
  const texts = sample(checkpoint, {}, { signal: AbortSignal.abort(reason) });
  await assert.rejects(texts.next(), (error) => error === reason);
});

async function writer(t: TestContext) {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 3 }));
  return loadCheckpoint("run", place);
}
