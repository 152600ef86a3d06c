import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { parameterShapes } from "../config/parameters.js";
import { CharnnError } from "../errors.js";
import { type Bits, type PackedModel, packWeights } from "../portable/packed-model.js";

/** Numbers of 16 bits go up to here. */
const LARGEST_HALF = 65_504;

/**
 * A model as an exported page or module holds it.
 *
 * @throws CharnnError `NOT_WRITABLE` for weights that 16 bits have no room for
 */
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
      if (bits === 16 && tensor.data.some((weight) => Math.abs(weight) > LARGEST_HALF)) {
        throw new CharnnError(
          "NOT_WRITABLE",
          `The model has weights beyond ${LARGEST_HALF.toLocaleString("en")}, which 16 bits have no room for.`,
          "Export it with `bits: 32`.",
        );
      }
      return [name, tensor.data];
    }),
  );
  const text = { documents, normalize, lowercase };
  const packed = { model: config.model, text, vocabulary: vocabulary.toJSON(), bits };
  return { packed, weights: packWeights(config.model, weights, bits) };
}
