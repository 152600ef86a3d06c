import { CELLS } from "./cells.js";
import type { ModelConfig } from "./model.js";
import { isNgramTable, ngramTables } from "./ngrams.js";

/** The shape of every parameter under its PyTorch name, in the order in which they are stored. */
export function parameterShapes(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { layers, hiddenSize, embeddingSize, vocabularySize } = config;
  const gateRows = CELLS[config.cell].gates.length * hiddenSize;
  const shapes = new Map<string, readonly number[]>();
  if (embeddingSize > 0) shapes.set("encoder.weight", [vocabularySize, embeddingSize]);
  for (const { name, rows } of ngramTables(config)) shapes.set(name, [rows, embeddingSize]);
  for (let layer = 0; layer < layers; layer++) {
    const inputSize = layer > 0 ? hiddenSize : embeddingSize || vocabularySize;
    shapes.set(`rnn.weight_ih_l${layer}`, [gateRows, inputSize]);
    shapes.set(`rnn.weight_hh_l${layer}`, [gateRows, hiddenSize]);
    shapes.set(`rnn.bias_ih_l${layer}`, [gateRows]);
    shapes.set(`rnn.bias_hh_l${layer}`, [gateRows]);
  }
  shapes.set("decoder.weight", [vocabularySize, hiddenSize]);
  shapes.set("decoder.bias", [vocabularySize]);
  return shapes;
}

/** The parameters from which the logits come. */
export const DECODER_NAMES: ReadonlySet<string> = new Set(["decoder.weight", "decoder.bias"]);

/** The number of elements of an array of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** How many of the first numbers are embeddings, of characters and of n-grams. */
export function embeddingCount(config: ModelConfig): number {
  let count = 0;
  for (const [name, shape] of parameterShapes(config)) {
    if (name === "encoder.weight" || isNgramTable(name)) count += sizeOf(shape);
  }
  return count;
}

/** How many numbers the model learns. */
export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const shape of parameterShapes(config).values()) count += sizeOf(shape);
  return count;
}
