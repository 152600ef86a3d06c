import * as v from "valibot";
import { wholeNumber } from "./kinds.js";
import { MAX_NGRAM_ORDER, MAX_SIZE } from "./names.js";
import { checked, schemaOf } from "./schema.js";
import { TRAIN } from "./train.js";

export const modelConfigSchema = v.pipe(
  v.strictObject({
    cell: schemaOf(TRAIN.cell.kind),
    layers: schemaOf(TRAIN.layers.kind),
    hiddenSize: schemaOf(TRAIN.hiddenSize.kind),
    /** 0: characters go in one-hot. */
    embeddingSize: schemaOf(TRAIN.embeddingSize.kind),
    /** The longest n-grams that have embeddings; left out where single characters alone do. */
    ngramOrder: v.optional(schemaOf(wholeNumber(2, MAX_NGRAM_ORDER))),
    /** The most rows that a table of n-grams has; left out with `ngramOrder`. */
    ngramRows: v.optional(schemaOf(TRAIN.ngramRows.kind)),
    vocabularySize: schemaOf(wholeNumber(1, MAX_SIZE)),
  }),
  v.check(
    ({ ngramOrder, ngramRows, embeddingSize }) =>
      (ngramOrder === undefined) === (ngramRows === undefined) &&
      (ngramOrder === undefined || embeddingSize > 0),
    "must have an embedding of characters and rows of n-grams where it has n-grams",
  ),
);

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
