import assert from "node:assert/strict";
import { closeSync, openSync, writeSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findCopies } from "#src/index.js";
import { temporaryFolder } from "../helpers/folder.js";
import { Draw } from "../helpers/numbers.js";

const SONNETS = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));
const CHARACTERS = 1e8;

test("a run of 200 characters is found in a text of 100 MB, whose size costs no memory", async (t) => {
  const sonnets = await readFile(SONNETS, "utf8");
  const words = sonnets.split(/\s+/);
  const draw = new Draw(7);
  const sentence = () => Array.from({ length: 2_000 }, () => draw.pick(words)).join(" ");
  const folder = await temporaryFolder(t);
  const text = path.join(folder, "text.txt");
  const handle = openSync(text, "w");
  let [written, planted] = [0, ""];
  while (written < CHARACTERS) {
    const block = `${sentence()}\n`;
    if (planted === "" && written > 0.7 * CHARACTERS) planted = block.slice(500, 700);
    written += writeSync(handle, block);
  }
  closeSync(handle);
  const sample = path.join(folder, "sample.txt");
  const own = (from: number) => sonnets.slice(from, from + 4_000).replaceAll("e", "3");
  await writeFile(sample, `${own(5_000)}#${planted}#${own(20_000)}`);

  const before = process.memoryUsage().rss;
  const { longest, copies, characters } = await findCopies({ sample, files: [text] });
  assert.equal(characters, 8_202);
  assert.deepEqual([longest?.start, longest?.text], [4_001, planted]);
  // Words drawn at random may have some more in common, but not much.
  assert.deepEqual(
    copies.filter(({ length }) => length > 60).map(({ length }) => length),
    [200],
  );
  const used = process.memoryUsage().rss - before;
  assert.ok(used < 2e8, `${used} bytes`);
});
