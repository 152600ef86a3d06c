import type { ModelConfig } from "../config/model.js";
import type { NormalFormName } from "../config/names.js";
import { isNgramTable } from "../config/ngrams.js";
import { parameterShapes, sizeOf } from "../config/parameters.js";
import { floatFromHalf, halfFromFloat } from "../half-float.js";

/** Of each weight in an exported model. */
export const BITS = [8, 16, 32] as const;
export type Bits = (typeof BITS)[number];

/** What an exported page or module knows of a model, beside its weights. */
export interface PackedModel {
  readonly model: ModelConfig;
  readonly text: {
    readonly documents?: string | undefined;
    readonly normalize?: NormalFormName | undefined;
    readonly lowercase?: boolean | undefined;
  };
  /** As a checkpoint keeps it. */
  readonly vocabulary: readonly (string | null)[];
  readonly bits: Bits;
}

/** With 8 bits a row of a matrix has one scale, so that its largest weight is this. */
const LARGEST = 127;

/** Of each number of a parameter: vectors of n-grams, which are most of a model, and of which several are added up, need no more than 8. */
export function bitsOf(name: string, bits: Bits): Bits {
  return bits === 16 && isNgramTable(name) ? 8 : bits;
}

/**
 * The weights one after another, in the order of `parameterShapes` and with the bits of {@link bitsOf}: little-endian numbers of 32 or 16 bits, or for each
 * row of a matrix, and for each vector, a scale as a float of 32 bits and whole numbers of 8.
 *
 * @param weights by their names
 */
export function packWeights(
  config: ModelConfig,
  weights: ReadonlyMap<string, Float32Array>,
  bits: Bits,
): Uint8Array {
  const bytes = new Uint8Array(packedBytes(config, bits));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const [name, shape] of parameterShapes(config)) {
    const numbers = weights.get(name) as Float32Array;
    const own = bitsOf(name, bits);
    for (const row of rowsOf(numbers, shape)) {
      if (own === 32) for (const number of row) offset = setFloat(view, offset, number);
      else if (own === 16) {
        for (const number of row) {
          view.setUint16(offset, halfFromFloat(number), true);
          offset += 2;
        }
      } else {
        const largest = row.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
        const scale = Math.fround(largest / LARGEST);
        offset = setFloat(view, offset, scale);
        for (const number of row) view.setInt8(offset++, scale > 0 ? nearest(number / scale) : 0);
      }
    }
  }
  return bytes;
}

/** The weights by their names, as near to what was packed as their bits allow. */
export function unpackWeights(
  { model, bits }: Pick<PackedModel, "model" | "bits">,
  bytes: Uint8Array,
): ReadonlyMap<string, Float32Array> {
  if (bytes.length !== packedBytes(model, bits))
    throw new Error("The model's weights are not whole.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const weights = new Map<string, Float32Array>();
  let offset = 0;
  for (const [name, shape] of parameterShapes(model)) {
    const numbers = new Float32Array(sizeOf(shape));
    const own = bitsOf(name, bits);
    for (const row of rowsOf(numbers, shape)) {
      const scale = own === 8 ? view.getFloat32(offset, true) : 1;
      if (own === 8) offset += 4;
      for (let i = 0; i < row.length; i++) {
        if (own === 32) row[i] = view.getFloat32(offset, true);
        else if (own === 16) row[i] = floatFromHalf(view.getUint16(offset, true));
        else row[i] = scale * view.getInt8(offset);
        offset += own / 8;
      }
    }
    weights.set(name, numbers);
  }
  return weights;
}

/** The size of what {@link packWeights} makes, in bytes. */
export function packedBytes(config: ModelConfig, bits: Bits): number {
  let bytes = 0;
  for (const [name, shape] of parameterShapes(config)) {
    const own = bitsOf(name, bits);
    const rows = shape.length > 1 ? shape[0] : 1;
    bytes += (sizeOf(shape) * own) / 8 + (own === 8 ? 4 * rows : 0);
  }
  return bytes;
}

/** Parts of an array, which share its memory. */
function rowsOf(numbers: Float32Array, shape: readonly number[]): Float32Array[] {
  const rows = shape.length > 1 ? shape[0] : 1;
  const length = numbers.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    numbers.subarray(row * length, (row + 1) * length),
  );
}

function setFloat(view: DataView, offset: number, number: number): number {
  view.setFloat32(offset, number, true);
  return offset + 4;
}

function nearest(number: number): number {
  return Math.min(Math.max(Math.round(number), -LARGEST), LARGEST);
}
