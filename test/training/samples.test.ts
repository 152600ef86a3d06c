import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { failsWith } from "../helpers/failure.js";
import { only, smallRun, trained, workplace } from "../helpers/training.js";

test("A run writes a sample after each evaluation, or every few steps, or none", async (t) => {
  const place = await workplace(t);
  const steps = async (settings: object, name: string) => {
    const events = await trained(smallRun(place, { steps: 9, evalEvery: 4, name, ...settings }));
    return only(events, "sample").map(({ step }) => step);
  };
  assert.deepEqual(await steps({}, "a"), [4, 8, 9]);
  assert.deepEqual(await steps({ sampleEvery: 3 }, "b"), [3, 6, 9]);
  assert.deepEqual(await steps({ samples: false }, "c"), []);
  assert.deepEqual(await steps({ samples: false, sampleEvery: 3 }, "d"), []);
});

test("Samples begin with the prompt, which must be of characters that the text has", async (t) => {
  const place = await workplace(t);
  const events = await trained(smallRun(place, { steps: 2, samplePrompt: "summer" }));
  const [{ text }] = only(events, "sample");
  assert.match(text, /^summer/);
  assert.equal(text.length, 200 + "summer".length);
  const files = await readdir(`${place.out}/run`);
  await assert.rejects(
    trained(smallRun(place, { steps: 2, samplePrompt: "Ω", overwrite: true })),
    failsWith("INVALID_SETTING", "samplePrompt", '"Ω" (U+03A9)'),
  );
  assert.deepEqual(await readdir(`${place.out}/run`), files);
  await assert.rejects(
    trained(smallRun(place, { steps: 3, samplePrompt: "Ω", resume: true })),
    failsWith("INVALID_SETTING", "samplePrompt"),
  );
});

test("Of documents ten are written, each on a line of its own", async (t) => {
  const place = await workplace(t, "Anna\nBo\nClementine\nDag\n".repeat(40));
  const events = await trained(smallRun(place, { steps: 2, documents: "lines" }));
  assert.equal(only(events, "sample")[0].text.split("\n").length, 10);
});

test("Samples change nothing in a run", async (t) => {
  const place = await workplace(t);
  const losses = async (name: string, settings: object) =>
    only(await trained(smallRun(place, { steps: 6, name, ...settings })), "step").map(
      ({ loss }) => loss,
    );
  const without = await losses("a", { samples: false });
  assert.deepEqual(await losses("b", { sampleEvery: 1, samplePrompt: "love" }), without);
});
