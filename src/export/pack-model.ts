import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { parameterShapes } from "../config/parameters.js";
import { type Bits, type PackedModel, packWeights } from "../portable/packed-model.js";

/** A model as an exported page or module holds it. */
export function packModel(
  { config, vocabulary, tensors }: Checkpoint,
  bits: Bits,
): { readonly packed: PackedModel; readonly weights: Uint8Array } {
  const { documents, normalize, lowercase } = config.text;
  const names = [...parameterShapes(config.model).keys()];
  const weights = new Map(
    names.map((name) => {
      const tensor = tensors.get(name);
      if (!tensor) throw new Error(`There are no weights for ${name}.`);
      return [name, tensor.data];
    }),
  );
  const text = { documents, normalize, lowercase };
  const packed = { model: config.model, text, vocabulary: vocabulary.toJSON(), bits };
  return { packed, weights: packWeights(config.model, weights, bits) };
}
