/**
 * Times whole training steps of one model and prints one line, in the form that the peers' scripts
 * have too.
 *
 *     node dist-bench/train-speed.js CELL LAYERS HIDDEN EMBEDDING BATCH SEQ STEPS TEXT
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { train } from "#src/index.js";

const [cell, ...rest] = process.argv.slice(2);
const [layers, hiddenSize, embeddingSize, batchSize, seqLength, steps] = rest.map(Number);
const text = rest[6];

const out = await mkdtemp(join(tmpdir(), "charnn-bench-"));
try {
  const times: number[] = [];
  let last: { seconds: number; loss: number } | undefined;
  let backend = "";
  const settings = {
    files: [text],
    cell: cell.toLowerCase() as "gru" | "lstm" | "rnn",
    layers,
    hiddenSize,
    embeddingSize,
    batchSize,
    seqLength,
    steps,
    schedule: "constant" as const,
    learningRate: 2e-3,
    // A part too small to be seen in the time it takes to score it.
    validation: 0.001,
    evalEvery: steps + 1,
    saveEvery: steps + 1,
    out,
  };
  for await (const event of train(settings)) {
    if (event.event === "start") backend = event.backend.name;
    if (event.event !== "step") continue;
    if (last) times.push(event.seconds - last.seconds);
    last = event;
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  console.log(
    `charnn ${backend} train ${cell} ${layers}x${hiddenSize} embed ${embeddingSize} batch ${batchSize} ` +
      `seq ${seqLength}: ${((batchSize * seqLength) / median).toFixed(0)} chars/s (median), ` +
      `${(median * 1e3).toFixed(1)} ms/step, loss ${last?.loss.toFixed(3)}`,
  );
} finally {
  await rm(out, { recursive: true });
}
