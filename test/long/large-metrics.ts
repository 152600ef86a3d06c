/** Commands on a run that has reported more than a string of JavaScript can hold. */
import assert from "node:assert/strict";
import { open, rm, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, foxFolder, startCharnn, written } from "../helpers/executable.js";

const BYTES = 600e6;

test("a run of 600 MB of reports can be plotted, reported and resumed", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const metrics = path.join(cwd, "checkpoints/fox/metrics.jsonl");
  await rm(metrics);
  const file = await open(metrics, "w");
  // All of them are of the last step, so that none is dropped when the run is resumed.
  const step = { event: "step", step: 5, epoch: 1, loss: 1.5, learningRate: 1e-3, seconds: 1 };
  const piece = `${JSON.stringify(step)}\n`.repeat(10_000);
  for (let written = 0; written < BYTES; written += piece.length) await file.write(piece);
  await file.close();
  const { size } = await stat(metrics);
  // In a heap that has no room for them.
  const env = { NODE_OPTIONS: "--max-old-space-size=256" };
  for (const line of [
    "info",
    "info fox",
    "plot fox --json",
    "report fox",
    "train fox.txt --name fox --resume --steps 6 --hidden-size 8",
  ]) {
    const { code, stderr } = await charnn(t, line.split(" "), { cwd, env, timeout: 600_000 });
    assert.equal(code, 0, `${line}: ${stderr}`);
  }
  assert.ok((await stat(metrics)).size > size);

  const watch = await startCharnn(t, ["report", "fox", "--watch"], { cwd, env, timeout: 600_000 });
  let address = "";
  watch.stdout.on("data", (bytes) => {
    address += bytes;
  });
  await written(watch.stdout, /\n/);
  const page = await fetch(address.trim());
  assert.equal(page.status, 200);
  // Curves are thinned.
  assert.ok((await page.text()).length < 10e6);
});
