/** Models to export, and what charnn makes of texts with them. */
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { CELL_NAMES } from "#src/config/cells.js";
import type { ModelConfig } from "#src/config/model.js";
import { parameterShapes, sizeOf } from "#src/config/parameters.js";
import { firstProgress, type RunConfig } from "#src/config/run.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { Draw } from "./numbers.js";
import { wasmBackend } from "./wasm.js";

/** Of the models of {@link EVERY_SHAPE}. */
const CHARACTERS = "\n abcdefgé\u{1f600}";
const HIDDEN = 6;

/** How the text was read that the models learned from. */
export const TEXT = { lineEnds: "keep", normalize: "nfc", lowercase: true } as const;

const OTHERS = { hiddenSize: HIDDEN, vocabularySize: [...CHARACTERS].length };

/** Every cell with one to three layers, with an embedding and without, and some with embeddings of n-grams. */
export const EVERY_SHAPE: readonly ModelConfig[] = [
  ...CELL_NAMES.flatMap((cell) =>
    [1, 2, 3].flatMap((layers) =>
      [0, 4].map((embeddingSize) => ({ cell, layers, embeddingSize, ...OTHERS })),
    ),
  ),
  { cell: "gru", layers: 1, embeddingSize: 4, ngramOrder: 2, ngramRows: 400, ...OTHERS },
  { cell: "lstm", layers: 2, embeddingSize: 3, ngramOrder: 4, ngramRows: 400, ...OTHERS },
];

export function titleOf({ cell, layers, embeddingSize, ngramOrder = 1 }: ModelConfig): string {
  return `${cell}, layers: ${layers}, embedding: ${embeddingSize}, n-grams up to ${ngramOrder}`;
}

/** A model with random weights, none of them 0: where two biases were exchanged, its logits would be others. */
export function randomCheckpoint(
  model: ModelConfig,
  vocabulary = Vocabulary.fromCodePoints(
    Array.from(CHARACTERS, (it) => it.codePointAt(0) as number),
  ),
): Checkpoint {
  const draw = new Draw(7);
  const tensors = Array.from(parameterShapes(model), ([name, shape]) => {
    return [name, { name, shape, data: draw.floats(sizeOf(shape)) }] as const;
  });
  return {
    // An export looks at no more of it.
    config: { model, text: { fingerprint: "0", ...TEXT } } as RunConfig,
    vocabulary,
    progress: firstProgress(),
    tensors: new Map(tensors),
  };
}

/** Random texts of a model, side by side. */
export function randomTexts(
  { vocabularySize }: ModelConfig,
  time: number,
  batch: number,
): number[][] {
  const draw = new Draw(3);
  return Array.from({ length: time }, () => [...draw.tokens(batch, vocabularySize)]);
}

/** charnn's own logits `[time, batch, vocabulary]` of texts `[time, batch]`. */
export function logitsOf({ config, tensors }: Checkpoint, texts: readonly number[][]): number[] {
  const model = new CharRnn(wasmBackend(), config.model);
  loadWeights(model, tensors);
  const session = model.openDecodeSession(texts[0].length);
  const logits = texts.flatMap((tokens) => [...session.step(Int32Array.from(tokens))]);
  session.dispose();
  model.dispose();
  return logits;
}
