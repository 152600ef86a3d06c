import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { readCheckpoint, writeCheckpoint } from "#src/checkpoint/checkpoint.js";
import { REPORT_DEFAULTS } from "#src/config/report.js";
import { Inputs } from "#src/data/inputs.js";
import { viewText } from "#src/report/view-text.js";
import { failsWith } from "../helpers/failure.js";
import { slow } from "../helpers/slow.js";
import { afterStep, endOf, fileOf, smallRun, trained, workplace } from "../helpers/training.js";

const NAMES = Array.from({ length: 600 }, (_, i) => {
  const first = String.fromCharCode(97 + ((i * 7) % 26));
  return `${first}${["an", "el", "or"][i % 3]}${first}${["a", "ie", "us"][((i * 5) % 9) % 3]}${i % 13}${i % 50}`;
});
const SORTED = `${[...NAMES].sort().join("\n")}\n`;
const SHUFFLED = `${NAMES.map((_, i) => NAMES[(i * 211) % NAMES.length]).join("\n")}\n`;

const DOCUMENTS = { documents: "lines", steps: 150, evalEvery: 50 } as const;

test("a sorted list of names is validated on as a shuffled one is, unless the end is asked for", async (t) => {
  const lossOf = async (text: string, settings = {}) => {
    const place = await workplace(t, text);
    const events = await trained(smallRun(place, { ...DOCUMENTS, ...settings }));
    return endOf(events).bestLoss as number;
  };
  const [sorted, shuffled] = [await lossOf(SORTED), await lossOf(SHUFFLED)];
  assert.ok(Math.abs(sorted - shuffled) < 0.05, `${sorted} against ${shuffled}`);
  const end = await lossOf(SORTED, { split: "sequential" });
  assert.ok(end > sorted + 0.3, `${end} against ${sorted}`);
});

slow("a run keeps its split, and what is held out, when it is resumed", async (t) => {
  for (const split of ["random", "sequential"] as const) {
    const place = await workplace(t, SORTED);
    const settings = { ...DOCUMENTS, split, randomSeed: 5, test: 0.1 };
    await trained(smallRun(place, { ...settings, name: "whole" }));
    await trained(smallRun(place, { ...settings, name: "cut" }), afterStep(70));
    // What a person types to go on says neither.
    await trained({
      files: [place.text],
      out: place.out,
      name: "cut",
      resume: true,
      backend: "wasm",
    });
    const [whole, cut] = await Promise.all(
      ["whole", "cut"].map((name) => fileOf(place, name, "last.safetensors")),
    );
    assert.ok(whole.equals(cut), split);
  }
});

test("a run of lines that says nothing of its split holds out the end, as it once did", async (t) => {
  const place = await workplace(t, SORTED);
  const settings = { ...DOCUMENTS, split: "sequential" as const };
  await trained(smallRun(place, { ...settings, name: "whole" }));
  await trained(smallRun(place, { ...settings, name: "old" }), afterStep(70));
  const file = (name: string) => path.join(place.out, name, "last.safetensors");
  await withoutSplit(file("old"));
  const resumed = { files: [place.text], out: place.out, name: "old", resume: true };
  await trained({ ...resumed, backend: "wasm" });
  await withoutSplit(file("whole"));
  assert.ok((await readFile(file("whole"))).equals(await readFile(file("old"))));
  await assert.rejects(
    trained({ ...resumed, documents: "lines", split: "random" }),
    failsWith("CANNOT_RESUME", "split is sequential in the run old, not random"),
  );
});

async function withoutSplit(file: string): Promise<void> {
  const checkpoint = await readCheckpoint(file);
  const { split, ...training } = checkpoint.config.training;
  await writeCheckpoint(file, { ...checkpoint, config: { ...checkpoint.config, training } });
}

test("the held-out part that a report shows is the one that the run held out", async (t) => {
  const place = await workplace(t, SORTED);
  await trained(smallRun(place, { ...DOCUMENTS, steps: 5, randomSeed: 4 }));
  const checkpoint = await readCheckpoint(path.join(place.out, "run", "last.safetensors"));
  const { encoding, invalid, out, unknown } = REPORT_DEFAULTS;
  const backendSettings = { backend: "wasm", threads: undefined } as const;
  const view = await viewText(
    checkpoint,
    { files: [place.text], encoding, invalid, out, unknown, backendSettings },
    { inputs: new Inputs(undefined), onWarning: () => {} },
  );
  assert.ok(view.isHeldOut);
  assert.equal(view.fitted, checkpoint.config.text.validationCharacters);
  const lines = view.data.characters.join("").trim().split("\n");
  // From all over the list, in its order.
  assert.ok(new Set(lines.map((line) => line[0])).size > 10, lines.join(" "));
  assert.deepEqual(lines, [...lines].sort());
});

test("a running text has no lines to deal, and what the hint says helps", async (t) => {
  const place = await workplace(t, SORTED);
  const running = smallRun(place, { steps: 2, split: "random" });
  await assert.rejects(
    trained(running),
    failsWith("INVALID_SETTING", "split random", "`documents: lines`", "`crossValidate: 5`"),
  );
  await trained({ ...running, documents: "lines" });
});
