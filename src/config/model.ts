import * as v from "valibot";
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
