import assert from "node:assert/strict";
import type {
  AdamArguments,
  BackwardArguments,
  CrossEntropyArguments,
  DecodeArguments,
  ForwardArguments,
  Kernels,
  MaskSource,
  Panels,
  SequenceShape,
} from "#src/backends/kernels/kernels.js";
import type { Addon } from "#src/backends/native/addon.js";
import { CELLS, type CellName } from "#src/config/cells.js";
import { scratchMemory } from "./addon.js";
import type { Draw } from "./numbers.js";

const LANES = 16;

/** How a layer is given what it reads. */
export const SOURCES = [
  "one-hot",
  "embedded",
  "vectors",
  "masked vectors",
  "panels",
  "masked one-hot",
] as const;

export interface LayerSizes {
  readonly cell: CellName;
  readonly source: (typeof SOURCES)[number];
  readonly time: number;
  readonly batch: number;
  readonly input: number;
  readonly hidden: number;
  readonly vocabulary: number;
}

export const VOCABULARY = 9;

/** A small layer. */
export function sizesOf(cell: CellName, source: LayerSizes["source"]): LayerSizes {
  return { cell, source, time: 3, batch: 2, input: 18, hidden: 5, vocabulary: VOCABULARY };
}

/** The arguments of a layer forward, all right. */
export function forwardArguments(
  addon: Addon | Kernels,
  sizes: LayerSizes,
  draw: Draw,
): ForwardArguments {
  const { cell, source, time, batch, hidden } = sizes;
  const readsTokens = source.endsWith("one-hot") || source === "embedded";
  const input = source.endsWith("one-hot") ? sizes.vocabulary : sizes.input;
  const shape: SequenceShape = {
    cell,
    time,
    batch,
    input,
    hidden,
    vocabulary: readsTokens ? sizes.vocabulary : 0,
    hasEmbedding: source === "embedded",
    inputMasks: inputMasksOf(sizes),
    hasStateMask: source === "masked vectors" || source === "embedded",
    hasWeightMask: source === "panels" || source === "embedded",
  };
  const masked = <K extends string>(name: K, is: boolean, length: number) =>
    is && { [name]: source === "panels" ? DROPOUT : { values: draw.mask(length) } };
  const rows = time * batch;
  const units = batch * hidden;
  const gates = CELLS[cell].gates.length * hidden;
  return {
    ...shape,
    scratch: scratchMemory(addon, addon.sequenceScratch(shape)),
    ...(readsTokens && { tokens: draw.tokens(rows, sizes.vocabulary) }),
    ...(source === "embedded" && { embedding: draw.floats(sizes.vocabulary * input) }),
    ...(source.endsWith("vectors") && { vectors: draw.floats(rows * input) }),
    ...(source === "panels" && { inputPanels: panelsFor(rows, input, draw) }),
    ...masked("inputMask", shape.inputMasks > 0, shape.inputMasks * input),
    ...masked("stateMask", shape.hasStateMask, units),
    ...masked("weightMask", shape.hasWeightMask, gates * hidden),
    weightIh: draw.floats(gates * input),
    weightHh: draw.floats(gates * hidden),
    biasIh: draw.floats(gates),
    biasHh: draw.floats(gates),
    hiddenBefore: draw.floats(units),
    hiddenAfter: new Float32Array(units),
    ...(CELLS[cell].hasCellState && {
      cellBefore: draw.floats(units),
      cellAfter: new Float32Array(units),
    }),
  };
}

/** How many batch rows have masks of their own. */
function inputMasksOf({ source, batch }: LayerSizes): number {
  if (source === "masked one-hot") return Math.min(batch, 2);
  return source === "masked vectors" || source === "panels" ? batch : 0;
}

/** The arguments of the same layer backward; the scratch memory has seen it forward. */
export function backwardArguments(
  addon: Addon | Kernels,
  sizes: LayerSizes,
  draw: Draw,
): BackwardArguments {
  const { hiddenAfter, cellAfter, ...sequence } = forwardArguments(addon, sizes, draw);
  addon.forwardSequence({ ...sequence, hiddenAfter, cellAfter });
  const { time, batch, hidden, weightIh, weightHh, biasIh, embedding } = sequence;
  const rows = time * batch;
  return {
    ...sequence,
    ...(sizes.source === "panels"
      ? { gradientOutputPanels: panelsFor(rows, hidden, draw) }
      : { gradientOutput: draw.floats(rows * hidden) }),
    gradientWeightIh: new Float32Array(weightIh.length),
    gradientWeightHh: new Float32Array(weightHh.length),
    gradientBiasIh: new Float32Array(biasIh.length),
    gradientBiasHh: new Float32Array(biasIh.length),
    ...(embedding && { gradientEmbedding: new Float32Array(embedding.length) }),
    gradientHidden: new Float32Array(batch * hidden),
    ...(sequence.cellBefore && { gradientCellState: new Float32Array(batch * hidden) }),
  };
}

export function crossEntropyArguments(
  addon: Addon | Kernels,
  sizes: Pick<LayerSizes, "time" | "batch" | "hidden" | "vocabulary" | "source">,
  draw: Draw,
): CrossEntropyArguments {
  const { time, batch, hidden, vocabulary, source } = sizes;
  const rows = time * batch;
  const shape = {
    rows,
    batch,
    hidden,
    vocabulary,
    hasMask: source === "masked vectors" || source === "panels",
    wantsGradient: true,
  };
  return {
    ...shape,
    scratch: scratchMemory(addon, addon.crossEntropyScratch(shape)),
    ...(source === "panels"
      ? { inputPanels: panelsFor(rows, hidden, draw), mask: DROPOUT }
      : { vectors: draw.floats(rows * hidden) }),
    ...(source === "masked vectors" && { mask: { values: draw.mask(batch * hidden) } }),
    weight: draw.floats(vocabulary * hidden),
    bias: draw.floats(vocabulary),
    targets: draw.tokens(rows, vocabulary),
    losses: new Float32Array(rows),
    predictions: new Int32Array(rows),
    gradientWeight: new Float32Array(vocabulary * hidden),
    gradientBias: new Float32Array(vocabulary),
  };
}

/** Of all optimizers, of which none looks at those of another. */
export function stepArguments(count: number, draw: Draw) {
  return {
    count,
    parameters: draw.floats(count),
    gradients: draw.floats(count).fill(0, 0, count >> 2),
    sparse: count >> 1,
    nonzero: new Uint8Array(count >> 5).fill(1, count >> 6),
    learningRate: 0.01,
    clipNorm: 1.5,
    clipValue: 0.2,
    weightDecay: 0.1,
    sparseWeightDecay: 0.2,
    average: draw.floats(count),
    averageDecay: 0.9,
    sparseAverageDecay: 0.8,
    firstMoment: draw.floats(count),
    secondMoment: new Float32Array(count).fill(1),
    moment: new Float32Array(count).fill(1),
    beta1: 0.9,
    beta2: 0.99,
    stepSize: 0.02,
    gradientSize: 0.001,
    correction: 0.5,
    momentum: 0.9,
    decay: 0.9,
    epsilon: 1e-8,
  } satisfies AdamArguments & Record<string, unknown>;
}

export function decodeArguments(
  sizes: Omit<
    DecodeArguments,
    "readsVectors" | "encoderWeight" | "weights" | "decoderWeight" | "decoderBias"
  > & { readonly readsVectors?: boolean },
  draw: Draw,
): DecodeArguments {
  const { cell, layers, hidden, vocabulary, embedding, readsVectors = false } = sizes;
  const gates = CELLS[cell].gates.length * hidden;
  const inputOf = (layer: number) => (layer > 0 ? hidden : embedding || vocabulary);
  return {
    ...sizes,
    readsVectors,
    ...(embedding > 0 && !readsVectors && { encoderWeight: draw.floats(vocabulary * embedding) }),
    weights: Array.from({ length: layers }, (_, layer) => ({
      weightIh: draw.floats(gates * inputOf(layer)),
      weightHh: draw.floats(gates * hidden),
      biasIh: draw.floats(gates),
      biasHh: draw.floats(gates),
    })),
    decoderWeight: draw.floats(vocabulary * hidden),
    decoderBias: draw.floats(vocabulary),
  };
}

const DROPOUT: MaskSource = { rate: 0.5, key0: 1, key1: 2 };

/** A matrix in panels that fill their array to its last number. */
function panelsFor(rows: number, columns: number, draw: Draw): Panels {
  const panels = Math.ceil(columns / LANES);
  const offset = 3;
  const stride = rows * LANES + (panels > 1 ? 5 : 0);
  const length = offset + (panels - 1) * stride + rows * LANES;
  return { data: draw.floats(length), offset, stride };
}

/** A copy whose memory was given away. */
export function detached<A extends Float32Array | Int32Array | Uint8Array>(array: A): A {
  const copy = array.slice() as A;
  structuredClone(copy.buffer, { transfer: [copy.buffer as ArrayBuffer] });
  assert.equal(copy.length, 0);
  return copy;
}
