import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { loadCheckpoint, train } from "#src/index.js";
import type { EndEvent } from "#src/training/events.js";
import { temporaryFolder } from "../helpers/folder.js";
import { evaluated } from "../helpers/scoring.js";

const TEXT = "In the beginning there was a text, and it was long enough. ".repeat(30);

test("a run ends with the best checkpoint's loss on the part kept to test", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "text.txt");
  await writeFile(file, TEXT);
  let end: EndEvent | undefined;
  const shape = { hiddenSize: 8, batchSize: 2, seqLength: 8, steps: 12 };
  for await (const event of train({ files: [file], out: folder, test: 0.2, ...shape })) {
    if (event.event === "end") end = event;
  }
  assert.ok(end);
  const tail = path.join(folder, "tail.txt");
  await writeFile(tail, (await readFile(file, "utf8")).slice(-Math.round(0.2 * TEXT.length)));
  const { loss } = await evaluated(await loadCheckpoint(end.path), { files: [tail] });
  assert.equal(end.testLoss, loss);
});

test("without a part kept to test there is no loss on it", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "text.txt");
  await writeFile(file, TEXT);
  const shape = { hiddenSize: 8, batchSize: 2, seqLength: 8, steps: 2 };
  for await (const event of train({ files: [file], out: folder, ...shape })) {
    if (event.event === "end") assert.equal(event.testLoss, undefined);
  }
});
