/** Recurrent layers: cases, random numbers for them, what a backend gives for these, and what the definition. */
import type { Backend, DropoutMask, RnnLayer, Tensor, Workspace } from "#src/backends/backend.js";
import { CELL_NAMES, CELLS, type CellName } from "#src/config/cells.js";
import type { Draw } from "../../helpers/numbers.js";
import { numbersOf } from "../../helpers/numbers.js";
import { type LayerInputs, recurrentLayer } from "../../reference/cells.js";
import { type ExpectedGradient, expectedGradient, inDoubles } from "./comparisons.js";
import { drawMask, maskNumbers } from "./masks.js";

export const INPUT_KINDS = ["one-hot", "embedding", "vectors"] as const;

export interface LayerSizes {
  readonly time: number;
  readonly batch: number;
  readonly hidden: number;
  /** Of vectors and of an embedding. */
  readonly input: number;
  readonly vocabulary: number;
}

export interface LayerKind {
  readonly cell: CellName;
  readonly input: (typeof INPUT_KINDS)[number];
  readonly inputDropout?: boolean;
  /** Masks both the state and the recurrent weights. */
  readonly recurrentDropout?: boolean;
}

interface Case {
  readonly kind: LayerKind;
  readonly sizes: LayerSizes;
  /** Gradients are compared number by number. */
  readonly isSmall: boolean;
}

const KINDS = CELL_NAMES.flatMap((cell) =>
  INPUT_KINDS.flatMap((input) =>
    [false, true].flatMap((inputDropout) =>
      [false, true].map(
        (recurrentDropout): LayerKind => ({ cell, input, inputDropout, recurrentDropout }),
      ),
    ),
  ),
);

/** Fewer columns than a vector of the processor holds. */
const SMALL: readonly LayerSizes[] = [
  { time: 3, batch: 3, hidden: 7, input: 5, vocabulary: 11 },
  { time: 1, batch: 4, hidden: 1, input: 1, vocabulary: 2 },
  { time: 4, batch: 1, hidden: 5, input: 3, vocabulary: 6 },
];

const LARGE: readonly LayerSizes[] = [
  // Exactly the sixteen columns of a panel.
  { time: 3, batch: 5, hidden: 16, input: 16, vocabulary: 16 },
  // One column more, a long sequence, and a batch of one.
  { time: 33, batch: 1, hidden: 17, input: 5, vocabulary: 300 },
  // Several panels, and more rows than are multiplied at once.
  { time: 5, batch: 17, hidden: 33, input: 40, vocabulary: 65 },
  // More weights than rows, so that threads divide the units.
  { time: 2, batch: 3, hidden: 129, input: 1, vocabulary: 17 },
];

/** Beyond the 256 rows, units or tokens whose products a backend may add up in one go. */
const LARGEST: readonly LayerSizes[] = [
  { time: 6, batch: 50, hidden: 33, input: 5, vocabulary: 17 },
  { time: 2, batch: 3, hidden: 300, input: 5, vocabulary: 17 },
  { time: 11, batch: 25, hidden: 129, input: 40, vocabulary: 17 },
  { time: 2, batch: 25, hidden: 273, input: 5, vocabulary: 65 },
  { time: 9, batch: 13, hidden: 100, input: 40, vocabulary: 300 },
];

/**
 * Every kind of layer in a small and a large size, and two in the largest.
 *
 * @param isAll whether every kind is wanted in each small and large size, and in one of the largest
 */
export function layerCases(isAll: boolean): Case[] {
  const cases = KINDS.flatMap((kind, index): Case[] => {
    const small = isAll ? SMALL : [SMALL[index % SMALL.length]];
    const large = isAll
      ? [...LARGE, LARGEST[index % LARGEST.length]]
      : [LARGE[index % LARGE.length]];
    return [
      ...small.map((sizes) => ({ kind, sizes, isSmall: true })),
      ...large.map((sizes) => ({ kind, sizes, isSmall: false })),
    ];
  });
  if (isAll) return cases;
  const kind: LayerKind = { cell: "gru", input: "vectors", inputDropout: true };
  return [...cases, ...LARGEST.slice(0, 2).map((sizes) => ({ kind, sizes, isSmall: false }))];
}

/** A layer whose numbers are all plain arrays. */
export type PlainLayer = { readonly [Name in keyof RnnLayer]: Plain<RnnLayer[Name]> };
type Plain<Value> = Value extends Tensor ? Float32Array : Value;

type Masks<Mask> = {
  readonly [Name in "inputMask" | "stateMask" | "weightMask"]?: Mask | undefined;
};

export interface LayerCase {
  readonly layer: PlainLayer & Masks<Float32Array>;
  /** What makes the masks of the layer. */
  readonly masks: Masks<DropoutMask>;
  readonly gradientOutput: Float32Array;
}

export function describeLayer(kind: LayerKind, sizes: LayerSizes): string {
  const { cell, input, inputDropout, recurrentDropout } = kind;
  const { time, batch, hidden, vocabulary } = sizes;
  const tokens = `${vocabulary} tokens`;
  const read = {
    "one-hot": `one-hot vectors of ${tokens}`,
    embedding: `an embedding of ${tokens} in ${sizes.input} numbers`,
    vectors: `vectors of ${sizes.input} numbers`,
  };
  const dropout = [
    ...(inputDropout ? ["input dropout"] : []),
    ...(recurrentDropout ? ["recurrent dropout"] : []),
  ];
  const masks = dropout.length > 0 ? ` with ${dropout.join(" and ")}` : "";
  return `a layer of ${hidden} ${cell} units, batch ${batch}, time ${time}, on ${read[input]}${masks}`;
}

/** Random numbers for a layer, none of its states or biases zero. */
export function drawLayer(kind: LayerKind, sizes: LayerSizes, draw: Draw): LayerCase {
  const { cell, input, inputDropout, recurrentDropout } = kind;
  const { time, batch, hidden, vocabulary } = sizes;
  const inputSize = input === "one-hot" ? vocabulary : sizes.input;
  const gates = CELLS[cell].gates.length * hidden;
  const isTokens = input !== "vectors";
  // Of three masks some rows have the same.
  const inputMasks = isTokens ? Math.min(batch, 3) : batch;
  const masks = {
    ...(inputDropout && { inputMask: drawMask(inputMasks * inputSize, draw) }),
    ...(recurrentDropout && {
      stateMask: drawMask(batch * hidden, draw),
      weightMask: drawMask(gates * hidden, draw),
    }),
  };
  // Two masks make what they leave larger, and rounding errors must not grow from step to step.
  const recurrentScale = (recurrentDropout ? 0.25 : 1.5) / Math.sqrt(hidden);
  const layer: LayerCase["layer"] = {
    cell,
    time,
    batch,
    inputSize,
    hiddenSize: hidden,
    input: isTokens ? draw.tokens(time * batch, vocabulary) : draw.floats(time * batch * inputSize),
    embedding: input === "embedding" ? draw.floats(vocabulary * inputSize) : undefined,
    inputMask: masks.inputMask && maskNumbers(masks.inputMask),
    weightIh: draw.floats(gates * inputSize, isTokens ? 1 : 1 / Math.sqrt(inputSize)),
    weightHh: draw.floats(gates * hidden, recurrentScale),
    weightMask: masks.weightMask && maskNumbers(masks.weightMask),
    biasIh: draw.floats(gates, 0.5),
    biasHh: draw.floats(gates, 0.5),
    hidden: draw.floats(batch * hidden),
    stateMask: masks.stateMask && maskNumbers(masks.stateMask),
    cellState: CELLS[cell].hasCellState ? draw.floats(batch * hidden, 1.5) : undefined,
  };
  const positions = time * batch;
  return {
    layer,
    masks,
    gradientOutput: draw.floats(positions * hidden, 1 / Math.sqrt(positions)),
  };
}

/** Copies of what the backend gives forward. */
export function forward(
  backend: Backend,
  layer: PlainLayer,
  workspace = backend.createWorkspace(),
) {
  const { output, hidden, cellState } = backend.rnnForward(layer, workspace);
  return { output: numbersOf(output), hidden: hidden.slice(), cellState: cellState?.slice() };
}

/** Copies of what it gives forward and backward, each gradient under the name of its array. */
export function forwardAndBackward(
  backend: Backend,
  { layer, gradientOutput }: { layer: PlainLayer; gradientOutput: Float32Array },
  workspace: Workspace = backend.createWorkspace(),
) {
  const outputs = forward(backend, layer, workspace);
  // What was in a gradient before must not matter.
  const garbage = (like: Float32Array) => new Float32Array(like.length).fill(7);
  const gradients = {
    gradientOutput,
    gradientWeightIh: garbage(layer.weightIh),
    gradientWeightHh: garbage(layer.weightHh),
    gradientBiasIh: garbage(layer.biasIh),
    gradientBiasHh: garbage(layer.biasHh),
    gradientEmbedding: layer.embedding && garbage(layer.embedding),
  };
  const given = backend.rnnBackward(layer, gradients, workspace);
  const { gradientInput, gradientHidden, gradientCellState } = given;
  return {
    outputs,
    gradients: {
      weightIh: gradients.gradientWeightIh,
      weightHh: gradients.gradientWeightHh,
      biasIh: gradients.gradientBiasIh,
      biasHh: gradients.gradientBiasHh,
      embedding: gradients.gradientEmbedding,
      input: gradientInput && numbersOf(gradientInput),
      hidden: numbersOf(gradientHidden),
      cellState: gradientCellState && numbersOf(gradientCellState),
    },
  };
}

type Gradients = ReturnType<typeof forwardAndBackward>["gradients"];

/** What the definition gives forward, and the gradients of the sum of its output times `gradientOutput`. */
export function definedLayer({ layer, gradientOutput }: LayerCase, isSmall: boolean) {
  const { cell, input, ...rest } = layer;
  const inputs = inDoubles({ ...rest, input }) as unknown as LayerInputs;
  const loss = () => {
    const { output } = recurrentLayer(cell, inputs);
    return output.reduce((sum, value, i) => sum + value * gradientOutput[i], 0);
  };
  const names = [
    "weightIh",
    "weightHh",
    "biasIh",
    "biasHh",
    "embedding",
    "input",
    "hidden",
    "cellState",
  ] as const;
  const gradients: Partial<Record<keyof Gradients, ExpectedGradient>> = {};
  for (const name of names) {
    const values = inputs[name];
    if (values instanceof Float64Array) gradients[name] = expectedGradient(loss, values, isSmall);
  }
  return { outputs: recurrentLayer(cell, inputs), gradients };
}
