/** Models that write without Node, to be compared with `sample`. */
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { readKernels } from "#src/export/kernels-file.js";
import { packModel } from "#src/export/pack-model.js";
import { type SampleSettings, sample, type TrainSettings } from "#src/index.js";
import { PortableModel } from "#src/portable/portable-model.js";

/** A text some of whose characters take two units of UTF-16. */
export const CAT_EMOJI = "the \u{1f431} sat on a mat, and a \u{1f9f6} on the cat.\n".repeat(40);

/** Models of every cell, for `learned`, with one and two layers, with an embedding and without, and of n-grams too. */
export const PORTABLE_MODELS: readonly (readonly [title: string, Partial<TrainSettings>])[] = [
  ...CELL_NAMES.flatMap((cell) =>
    [1, 2].flatMap((layers) =>
      [0, 12].map((embeddingSize) => {
        const title = `${cell}, ${layers} layers, ${embeddingSize ? "with" : "without"} embedding`;
        return [title, { cell, layers, embeddingSize, hiddenSize: 40 }] as const;
      }),
    ),
  ),
  ["gru, n-grams", { embeddingSize: 12, hiddenSize: 40, ngramOrder: 3, ngramRows: 1_000 }],
];

/** The model of a checkpoint, with all bits of its weights. */
export async function portable(checkpoint: Checkpoint): Promise<PortableModel> {
  const { packed, weights } = packModel(checkpoint, 32);
  return PortableModel.open(packed, weights, await readKernels());
}

/** What `sample` writes by the kernels with which a portable model writes. */
export async function sampledByWasm(
  checkpoint: Checkpoint,
  settings: SampleSettings,
): Promise<string> {
  let text = "";
  for await (const [character] of sample(checkpoint, { ...settings, backend: "wasm" })) {
    text += character;
  }
  return text;
}
