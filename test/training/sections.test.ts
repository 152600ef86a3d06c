/** Long texts, which a run reads in sections. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import type { TrainSettings } from "#src/index.js";
import { partsOf, sealed } from "../helpers/mutations.js";
import {
  afterStep,
  fileOf,
  inventedText,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

const LENGTH = 2_300_000;

function longText(t: TestContext, characters = LENGTH): Promise<Workplace> {
  const piece = inventedText(10_000);
  return workplace(t, piece.repeat(Math.ceil(characters / piece.length)));
}

async function configOf(place: Workplace, name: string) {
  return (await readCheckpoint(path.join(place.out, name, "last.safetensors"))).config;
}

test("a long text and one that is not read once are read in sections, others and documents are not", async (t) => {
  // 648 characters for training, of which an epoch reads 640 in 20 steps.
  const [long, short] = [await longText(t), await workplace(t, inventedText(720))];
  const sectionsOf = async (place: Workplace, settings: Partial<TrainSettings>) => {
    await trained(smallRun(place, { steps: 1, overwrite: true, ...settings }));
    return (await configOf(place, "run")).training.sectionWindows;
  };
  assert.equal(await sectionsOf(long, {}), 16);
  assert.equal(await sectionsOf(long, { sectionWindows: 0 }), 0);
  assert.equal(await sectionsOf(long, { sectionWindows: 7 }), 7);
  assert.equal(await sectionsOf(long, { documents: "lines" }), undefined);
  assert.equal(await sectionsOf(long, { batching: "windows" }), undefined);
  assert.equal(await sectionsOf(short, { steps: undefined, epochs: 1 }), undefined);
  assert.equal(await sectionsOf(short, { steps: 19 }), 16);
  assert.equal(await sectionsOf(short, { steps: 20 }), undefined);
});

test("a run of a long text that began before there were sections and pieces goes on without", async (t) => {
  const place = await longText(t);
  const run = (name: string, more: Partial<TrainSettings> = {}) =>
    smallRun(place, { steps: 9, ...more, name });
  await trained(run("unbroken", { sectionWindows: 0 }));
  await trained(run("old", { sectionWindows: 0 }), afterStep(4));
  await asBeforeSections(place, "old");
  await trained(run("old", { resume: true }));
  const { training, text } = await configOf(place, "old");
  assert.deepEqual([training.sectionWindows, text.scoredPiece], [undefined, undefined]);
  const [{ tensors: old }, { tensors: unbroken }] = await Promise.all(
    ["old", "unbroken"].map((name) =>
      readCheckpoint(path.join(place.out, name, "last.safetensors")),
    ),
  );
  assert.deepEqual(old, unbroken);
});

test("a run that is interrupted in the middle of a section ends with the bytes of an unbroken one", async (t) => {
  const place = await workplace(t);
  const settings = { sectionWindows: 6, steps: 33, workers: 2, batchSize: 2, accumulate: 2 };
  const run = (name: string) => smallRun(place, { ...settings, name });
  await trained(run("unbroken"));
  // A step is of two batches, a section of five.
  for (const step of [1, 2, 14]) {
    const name = `after-${step}`;
    await trained(run(name), afterStep(step));
    await trained({ ...run(name), resume: true });
    assert.deepEqual(
      await fileOf(place, name, "last.safetensors"),
      await fileOf(place, "unbroken", "last.safetensors"),
    );
  }
});

/** Makes a run's last checkpoint what it was before its config had sections of lanes and pieces to score. */
async function asBeforeSections(place: Workplace, name: string): Promise<void> {
  const file = path.join(place.out, name, "last.safetensors");
  const { header, data } = partsOf(await readFile(file));
  const members = JSON.parse(header);
  const config = JSON.parse(members.__metadata__.config);
  delete config.training.sectionWindows;
  assert.equal(config.text.scoredPiece, 512);
  delete config.text.scoredPiece;
  members.__metadata__.config = JSON.stringify(config);
  await writeFile(file, sealed({ header: JSON.stringify(members), data }));
}
