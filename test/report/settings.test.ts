import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCheckpoint } from "#src/index.js";
import { comparedSettings, settingsOf } from "#src/report/settings.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

test("Settings have the names and values that people use", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 3, maxTime: 120, embeddingSize: 0, clipNorm: 0 }));
  const settings = settingsOf(await loadCheckpoint("run", { out: place.out }));
  const shown = new Map(settings.map(({ group, name, value }) => [`${group}: ${name}`, value]));
  assert.equal(shown.get("Batches: window length"), "8");
  assert.equal(shown.get("Length: time limit"), "2 min");
  assert.equal(shown.get("Model: cell"), "GRU");
  assert.equal(shown.get("Model: embedding size"), "one-hot");
  assert.equal(shown.get("Optimization: clipping of the gradient norm"), "off");
  assert.match(shown.get("Text: n-gram baseline") ?? "", /^\d\.\d{3} nats\/char, \d-grams$/);
  const groups = settings.map(({ group }) => group);
  // The settings of each group stand together.
  assert.equal(groups.filter((group, k) => group !== groups[k - 1]).length, new Set(groups).size);
  for (const { name, value } of settings) {
    assert.doesNotMatch(`${name} ${value}`, /[{}[\]"]|undefined|[a-z][A-Z]/);
  }
});

test("Settings of several runs are divided into those that differ and those that do not", () => {
  const setting = (name: string, value: string) => ({ group: "Model", name, value });
  const { differing, equal } = comparedSettings([
    [setting("cell", "GRU"), setting("hidden size", "8")],
    [setting("cell", "LSTM"), setting("hidden size", "8"), setting("patience", "3")],
  ]);
  assert.deepEqual(differing, [
    { group: "Model", name: "cell", values: ["GRU", "LSTM"] },
    { group: "Model", name: "patience", values: ["", "3"] },
  ]);
  assert.deepEqual(equal, [{ group: "Model", name: "hidden size", values: ["8", "8"] }]);
});
