/** Writing text leaves the rest of the process its turns, and hears its signal. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { loadCheckpoint, sample } from "#src/index.js";
import { slow } from "../helpers/slow.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

slow("A thousand short samples let a timer run between them", async (t) => {
  const checkpoint = await writer(t);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  for (let k = 0; k < 1_000; k++) {
    for await (const _ of sample(checkpoint, { length: 3, randomSeed: k, backend: "wasm" }));
  }
  clearInterval(timer);
  assert.ok(ticks > 0);
});

slow("Samples that begin at the same time let a timer run between them", async (t) => {
  const checkpoint = await writer(t);
  const written = async (randomSeed: number) => {
    for await (const _ of sample(checkpoint, { length: 3, randomSeed, backend: "wasm" }));
  };
  await written(0);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const start = performance.now();
  await Promise.all(Array.from({ length: 500 }, (_, k) => written(k)));
  clearInterval(timer);
  // Once in 20 ms on a machine that does nothing else.
  const seconds = (performance.now() - start) / 1000;
  assert.ok(ticks > 5 * seconds, `${ticks} ticks in ${seconds} s`);
});

test("A long seed is read with turns for others, and no longer than the signal lets it", async (t) => {
  const checkpoint = await writer(t);
  const seed = inventedText(2_000_000);
  const before = undisposed();
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  setTimeout(() => controller.abort(reason), 100);
  const texts = sample(checkpoint, { seed, backend: "wasm" }, { signal: controller.signal });
  await assert.rejects(texts.next(), (error) => error === reason);
  assert.equal(undisposed(), before);
});

test("A long seed is looked through with turns for others, and no longer than the signal lets it", async (t) => {
  const checkpoint = await writer(t);
  const seed = `${inventedText(20_000).repeat(1_000)}\u{1f388}`;
  const reason = new Error("changed my mind");
  const whole = sample(checkpoint, { seed, backend: "wasm" });
  await assert.rejects(whole.next(), { code: "UNKNOWN_CHARACTER", message: /🎈/u });
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 1);
  const texts = sample(checkpoint, { seed, backend: "wasm" }, { signal: controller.signal });
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
