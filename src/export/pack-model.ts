import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { ModelConfig } from "../config/model.js";
import { parameterShapes } from "../config/parameters.js";
import { CharnnError } from "../errors.js";
import {
  BITS,
  type Bits,
  bitsOf,
  type PackedModel,
  packedBytes,
  packWeights,
} from "../portable/packed-model.js";
import { memorySize } from "../text.js";

/** Numbers of 16 bits go up to here. */
const LARGEST_HALF = 65_504;
/** Chromium and Firefox opened a page of 346 MB, in half a minute; JavaScript's longest string has some 500 MB. */
const MAX_BYTES = 300e6;

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
      if (
        bitsOf(name, bits) === 16 &&
        tensor.data.some((weight) => Math.abs(weight) > LARGEST_HALF)
      ) {
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

/** @throws CharnnError `NOT_WRITABLE` for a model that browsers have no room for */
export function refuseTooLarge(model: ModelConfig, bits: Bits): void {
  // Base64 takes four characters for three bytes.
  const size = (bits: Bits) => (packedBytes(model, bits) * 4) / 3;
  if (size(bits) <= MAX_BYTES) return;
  const fitting = BITS.findLast((it) => it < bits && size(it) <= MAX_BYTES);
  throw new CharnnError(
    "NOT_WRITABLE",
    `With ${bits} bits for each weight the file would have ${memorySize(size(bits))}; browsers open ${memorySize(MAX_BYTES)} at most.`,
    fitting === undefined
      ? "Export it with `to: onnx`, for programs outside the browser."
      : `Export it with \`bits: ${fitting}\`: ${memorySize(size(fitting))}.`,
  );
}
