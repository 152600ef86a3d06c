/**
 * Uses the library again and again until it is ended, to see whether its memory grows.
 *
 *     node --expose-gc memory-worker.js TASK FOLDER
 */
import path from "node:path";
import {
  evaluateTexts,
  listCheckpoints,
  loadCheckpoint,
  readMetrics,
  sample,
  train,
} from "#src/index.js";
import { BACKEND, LAST } from "./campaign.js";

const MILLISECONDS_BETWEEN_COLLECTIONS = 100;

const [task, folder] = process.argv.slice(2);
const file = path.join(folder, LAST);
const text = path.join(folder, "text.txt");
const out = path.join(folder, "checkpoints");
const checkpoint = await loadCheckpoint(file);

const TASKS: Readonly<Record<string, () => Promise<void>>> = {
  async samples() {
    let length = 0;
    for await (const piece of sample(checkpoint, { length: 20, seed: "The " }))
      length += piece.length;
    if (length === 0) throw new Error("Nothing was written.");
  },
  async evaluations() {
    for await (const _ of evaluateTexts(checkpoint, { files: [text], baselines: false }));
  },
  async reading() {
    await loadCheckpoint("run", { out });
    await listCheckpoints({ out });
    await readMetrics("run", out);
  },
  async trainings() {
    const settings = { name: "again", overwrite: true, hiddenSize: 8, batchSize: 2, seqLength: 8 };
    const limits = { steps: 10, saveEvery: 1, evalEvery: 2, threads: 1, backend: BACKEND };
    for await (const _ of train({ files: [text], out, ...settings, ...limits }));
  },
};

let collectedAt = 0;
for (;;) {
  await TASKS[task]();
  const now = performance.now();
  if (now - collectedAt < MILLISECONDS_BETWEEN_COLLECTIONS) continue;
  // What is garbage does not count.
  globalThis.gc?.();
  collectedAt = now;
}
