/** What docs/checkpoint-format.md promises to programs that read checkpoints, checked with PyTorch. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { pythonWith } from "#bench/peers/find.js";
import { CELL_NAMES, CELLS, type CellName } from "#src/config/cells.js";
import { type Checkpoint, loadCheckpoint } from "#src/index.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { assertClose } from "../helpers/numbers.js";
import { slow } from "../helpers/slow.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";
import { wasmBackend } from "../helpers/wasm.js";

const ROOT = new URL("../../", import.meta.url);
const SCRIPT = fileURLToPath(new URL("test/fixtures/torch_checkpoint.py", ROOT));
const OPTIMIZERS = { adam: ["m", "v"], sgd: ["m"], rmsprop: ["v"] } as const;
const HIDDEN = 8;
const LANES = 4;

slow("PyTorch loads checkpoints by their plain names and computes the same logits", async (t) => {
  const python = pythonWith("torch", "safetensors", "numpy");
  if (python === undefined) return t.skip("no Python with PyTorch; `npm run peers` gets it");
  const text = inventedText(60, 4).trim();
  const runs = [];
  for (const [index, cell] of CELL_NAMES.entries()) {
    for (const embeddingSize of [0, 5]) {
      const optimizer = (["adam", "sgd", "rmsprop"] as const)[index];
      const settings = { cell, embeddingSize, optimizer };
      runs.push({ ...settings, checkpoint: await trainedModel(t, { ...settings, layers: 2 }) });
    }
  }
  const jobs = runs.map(({ cell, checkpoint }) => ({ cell, path: checkpoint.path, text }));
  const results: { shapes: Record<string, number[]>; logits: number[] }[] = JSON.parse(
    execFileSync(python, [SCRIPT], { input: JSON.stringify(jobs), encoding: "utf8" }),
  );
  for (const [index, { cell, embeddingSize, optimizer, checkpoint }] of runs.entries()) {
    const { shapes, logits } = results[index];
    const title = `${cell}, embedding ${embeddingSize}`;
    assertClose(logits, logitsOf(checkpoint, text), 1e-5, title);
    assert.deepEqual(shapes, documentedShapes(cell, embeddingSize, optimizer, checkpoint), title);
  }
});

async function trainedModel(t: TestContext, settings: Parameters<typeof smallRun>[1]) {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 5, hiddenSize: HIDDEN, batchSize: LANES, ...settings }));
  return loadCheckpoint(path.join(place.out, "run", "last.safetensors"));
}

/** Of the next character after each of the text, one after the other. */
function logitsOf({ config, vocabulary, tensors }: Checkpoint, text: string): number[] {
  const model = new CharRnn(wasmBackend(), config.model);
  loadWeights(model, tensors);
  const session = model.openDecodeSession(1);
  return [...vocabulary.encode(text)].flatMap((token) => [...session.step(Int32Array.of(token))]);
}

/** The table of docs/checkpoint-format.md, for two layers. */
function documentedShapes(
  cell: CellName,
  embedding: number,
  optimizer: keyof typeof OPTIMIZERS,
  { vocabulary: { size: vocabulary } }: Checkpoint,
): Record<string, number[]> {
  const gates = CELLS[cell].gates.length * HIDDEN;
  const weights: Record<string, number[]> = {
    ...(embedding > 0 && { "encoder.weight": [vocabulary, embedding] }),
    "decoder.weight": [vocabulary, HIDDEN],
    "decoder.bias": [vocabulary],
  };
  const states: Record<string, number[]> = {};
  for (const [layer, input] of [embedding || vocabulary, HIDDEN].entries()) {
    weights[`rnn.weight_ih_l${layer}`] = [gates, input];
    weights[`rnn.weight_hh_l${layer}`] = [gates, HIDDEN];
    weights[`rnn.bias_ih_l${layer}`] = [gates];
    weights[`rnn.bias_hh_l${layer}`] = [gates];
    states[`state.l${layer}`] = [LANES, HIDDEN];
    if (cell === "lstm") states[`state.l${layer}.cell`] = [LANES, HIDDEN];
  }
  const moments = Object.entries(weights).flatMap(([name, shape]) =>
    OPTIMIZERS[optimizer].map((moment) => [`optimizer.${name}.${moment}`, shape]),
  );
  const trained = Object.entries(weights).map(([name, shape]) => [`training.${name}`, shape]);
  return { ...weights, ...Object.fromEntries([...trained, ...moments]), ...states };
}
