/**
 * The bytes that training makes, pinned: the numbers of a checkpoint after 40 steps have the SHA-256 that
 * `test/fixtures/pinned-bytes.json` says, for each backend, cell, optimizer and regularizer.
 *
 * A change that is meant to change the numbers writes the file again:
 * `UPDATE_PINNED_BYTES=1 node --test dist-test/training/pinned-bytes.test.js`.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadAddon } from "#src/backends/native/addon.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { type BackendName, OPTIMIZER_NAMES } from "#src/config/names.js";
import type { TrainSettings } from "#src/index.js";
import { slow } from "../helpers/slow.js";
import {
  afterStep,
  endOf,
  inventedText,
  smallRun,
  tensorsOf,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";
import { startWasmThreads } from "../helpers/wasm.js";

const FILE = fileURLToPath(new URL("../../test/fixtures/pinned-bytes.json", import.meta.url));
const isUpdate = process.env.UPDATE_PINNED_BYTES === "1";
const pinned: Record<string, string> = JSON.parse(await readFile(FILE, "utf8"));

/** On which backends the bytes are pinned, and whose they are. */
const BACKENDS: readonly { readonly backend: BackendName; readonly bytesOf: BackendName }[] = [
  // Without fused multiply-add products are rounded twice, as they are in WebAssembly.
  { backend: "native", bytesOf: hasFusedMultiplyAdd() ? "native" : "wasm" },
  { backend: "wasm", bytesOf: "wasm" },
];

/** What differs from a run that has nothing special. */
const VARIANTS: Readonly<Record<string, Partial<TrainSettings>>> = {
  plain: {},
  "two layers": { layers: 2 },
  "one-hot input": { embeddingSize: 0 },
  "two layers, one-hot input": { layers: 2, embeddingSize: 0 },
  dropout: { layers: 2, dropout: 0.3 },
  "input dropout": { inputDropout: 0.3 },
  "recurrent dropout": { recurrentDropout: 0.3 },
  "weight dropout": { weightDropout: 0.3 },
  "every dropout": {
    ...{ layers: 2, dropout: 0.2, inputDropout: 0.2, recurrentDropout: 0.2, weightDropout: 0.2 },
  },
  "accumulated batches": { accumulate: 3 },
  "three workers": { workers: 3, dropout: 0.2 },
  "two workers, accumulated batches": { workers: 2, accumulate: 2 },
  ...Object.fromEntries(
    OPTIMIZER_NAMES.map((optimizer) => [
      `${optimizer}, weight decay, clipping`,
      {
        optimizer,
        weightDecay: 0.1,
        clipNorm: 0.2,
        clipValue: 0.05,
        schedule: "cosine" as const,
        finalRate: 0,
      },
    ]),
  ),
  "documents by lines": { documents: "lines" },
  windows: { batching: "windows", stride: 5 },
  sections: { sectionWindows: 4 },
  "no average of the weights": { averageDecay: 0 },
};

function settingsOf(
  place: Workplace,
  backend: BackendName,
  variant: Partial<TrainSettings>,
): TrainSettings {
  // Sizes that are no multiple of a vector's width.
  const sizes = { hiddenSize: 19, embeddingSize: 5, batchSize: 3, seqLength: 7 };
  const pace = { steps: 40, evalEvery: 15, schedule: "constant", warmupSteps: 3 } as const;
  const optimizer = "adam";
  return smallRun(place, { ...sizes, ...pace, optimizer, backend, threads: 1, ...variant });
}

/** The SHA-256 of all numbers of a run's last checkpoint, and of their names. */
async function numbersOf(place: Workplace): Promise<string> {
  const hash = createHash("sha256");
  const tensors = await tensorsOf(place, "run");
  for (const [name, { buffer, byteOffset, byteLength }] of [...tensors].sort()) {
    hash.update(`${name}\n`).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}

function hasFusedMultiplyAdd(): boolean {
  return ["avx512", "avx2", "neon"].includes(loadAddon().describe().instructionSet);
}

for (const { backend, bytesOf } of BACKENDS) {
  describe(`After 40 steps on ${backend}`, () => {
    for (const cell of CELL_NAMES) {
      for (const [variant, settings] of Object.entries(VARIANTS)) {
        const name = `${bytesOf}, ${cell}, ${variant}`;
        const isQuick = variant === "plain" || (backend === "native" && cell === "gru");
        const declare = isQuick ? test : slow;
        declare(
          `After 40 steps on ${backend} a ${cell} (${variant}) has the pinned bytes, also when it was resumed`,
          async (t) => {
            const [whole, parts] = [
              await workplace(t, inventedText(900)),
              await workplace(t, inventedText(900)),
            ];
            await trained(settingsOf(whole, backend, { ...settings, cell }));
            const bytes = await numbersOf(whole);
            if (isUpdate) pinned[name] = bytes;
            assert.equal(bytes, pinned[name]);

            const inParts = settingsOf(parts, backend, { ...settings, cell });
            const begun = await trained(inParts, afterStep(22));
            assert.equal(endOf(begun).reason, "interrupted");
            await trained({ ...inParts, resume: true });
            assert.equal(await numbersOf(parts), bytes, "resumed");
          },
        );
      }
    }
  });
}

for (const cell of CELL_NAMES) {
  const run = cell === "gru" ? test : slow;
  run(`After 40 steps on several threads of wasm a ${cell} has the pinned bytes`, async (t) => {
    for (const threads of [2, 3]) {
      await startWasmThreads(threads);
      for (const variant of ["plain", "every dropout"]) {
        const place = await workplace(t, inventedText(900));
        const settings = { ...VARIANTS[variant], cell, threads };
        await trained(settingsOf(place, "wasm", settings));
        const name = `wasm, ${cell}, ${variant}`;
        assert.equal(await numbersOf(place), pinned[name], `${name}, ${threads} threads`);
      }
    }
  });
}

after(async () => {
  if (isUpdate) await writeFile(FILE, `${JSON.stringify(pinned, undefined, 2)}\n`);
});
