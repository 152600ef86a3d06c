import * as v from "valibot";
import { CELLS } from "./cells.js";
import { wholeNumber } from "./kinds.js";
import { MAX_SIZE } from "./names.js";
import { checked, schemaOf } from "./schema.js";
import { TRAIN } from "./train.js";

export const modelConfigSchema = v.strictObject({
  cell: schemaOf(TRAIN.cell.kind),
  layers: schemaOf(TRAIN.layers.kind),
  hiddenSize: schemaOf(TRAIN.hiddenSize.kind),
  /** 0: characters go in one-hot. */
  embeddingSize: schemaOf(TRAIN.embeddingSize.kind),
  vocabularySize: schemaOf(wholeNumber(1, MAX_SIZE)),
});

/** The shape of a model, as a checkpoint keeps it; made by {@link modelConfig}. */
export type ModelConfig = Readonly<v.InferOutput<typeof modelConfigSchema>>;

/**
 * A checked and frozen model configuration.
 *
 * @throws CharnnError `INVALID_SETTING` that names the value at fault.
 */
export function modelConfig(values: ModelConfig): ModelConfig {
  return Object.freeze(checked(modelConfigSchema, values));
}

/** The shape of every parameter under its PyTorch name, in the order in which they are stored. */
export function parameterShapes(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { layers, hiddenSize, embeddingSize, vocabularySize } = config;
  const gateRows = CELLS[config.cell].gates.length * hiddenSize;
  const shapes = new Map<string, readonly number[]>();
  if (embeddingSize > 0) shapes.set("encoder.weight", [vocabularySize, embeddingSize]);
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

/** The number of elements of an array of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** How many numbers the model learns. */
export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const shape of parameterShapes(config).values()) count += sizeOf(shape);
  return count;
}
