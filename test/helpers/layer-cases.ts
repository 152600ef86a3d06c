import type { Backend, RnnInputGradients, RnnLayer } from "#src/backends/backend.js";
import { CELLS, type CellName } from "#src/config/cells.js";
import { type ModelConfig, parameterShapes } from "#src/config/model.js";
import { numbersOf } from "./backends.js";
import type { Draw } from "./numbers.js";

export const INPUT_KINDS = [
  "one-hot",
  "embedded",
  "vectors",
  "masked one-hot",
  "masked embedded",
  "masked vectors",
] as const;

type InputKind = (typeof INPUT_KINDS)[number];

/** The arrays that a layer reads, in the shapes of `RnnLayer`. */
export interface LayerArrays<Floats = Float32Array, Tokens = Int32Array> {
  readonly input: Floats | Tokens;
  readonly embedding?: Floats;
  readonly inputMask?: Floats;
  readonly hidden: Floats;
  readonly stateMask?: Floats;
  readonly cellState?: Floats;
  readonly weightIh: Floats;
  readonly weightHh: Floats;
  readonly weightMask?: Floats;
  readonly biasIh: Floats;
  readonly biasHh: Floats;
}

/** All that a layer gives forward. */
export interface LayerOutputs<Floats = Float32Array> {
  readonly output: Floats;
  readonly hidden: Floats;
  readonly cellState?: Floats | undefined;
}

/** All that a layer gives backward. */
export interface LayerGradients<Floats = Float32Array> {
  readonly gradientInput?: Floats | undefined;
  readonly gradientHidden: Floats;
  readonly gradientCellState?: Floats | undefined;
  readonly gradientWeightIh: Floats;
  readonly gradientWeightHh: Floats;
  readonly gradientBiasIh: Floats;
  readonly gradientBiasHh: Floats;
  readonly gradientEmbedding?: Floats | undefined;
}

/** The numbers that a layer gets, with all sizes. */
export interface LayerCase {
  readonly cell: CellName;
  readonly kind: InputKind;
  readonly time: number;
  readonly batch: number;
  readonly hiddenSize: number;
  /** Of the vectors or of the embedding; one-hot: the vocabulary. */
  readonly inputSize: number;
  readonly vocabulary: number;
  /** Whether the recurrent weights and what they read of the state are masked. */
  readonly recurrentDropout?: boolean;
  readonly inputs: LayerArrays;
  readonly gradientOutput: Float32Array;
}

type Sizes = Omit<LayerCase, "inputs" | "gradientOutput" | "inputSize"> & { inputSize?: number };

/** Random numbers for a layer of these sizes, none of its states or biases zero. */
export function layerCase(sizes: Sizes, draw: Draw): LayerCase {
  const { cell, kind, time, batch, hiddenSize, vocabulary, recurrentDropout } = sizes;
  const inputSize = kind.endsWith("one-hot") ? vocabulary : (sizes.inputSize ?? 5);
  const gates = CELLS[cell].gates.length * hiddenSize;
  const positions = time * batch;
  const isTokens = !kind.endsWith("vectors");
  // Of three masks some sequences have the same.
  const masks = isTokens ? Math.min(batch, 3) : batch;
  // Two masks make what they leave larger, and rounding errors must not grow from step to step.
  const weightScale = (recurrentDropout ? 0.25 : 1.5) / Math.sqrt(hiddenSize);
  const inputs: LayerArrays = {
    input: isTokens ? draw.tokens(positions, vocabulary) : draw.floats(positions * inputSize),
    ...(kind.endsWith("embedded") && { embedding: draw.floats(vocabulary * inputSize) }),
    ...(kind.startsWith("masked") && { inputMask: draw.mask(masks * inputSize) }),
    hidden: draw.floats(batch * hiddenSize),
    ...(recurrentDropout && { stateMask: draw.mask(batch * hiddenSize) }),
    ...(CELLS[cell].hasCellState && { cellState: draw.floats(batch * hiddenSize, 1.5) }),
    weightIh: draw.floats(gates * inputSize, isTokens ? 1 : 1 / Math.sqrt(inputSize)),
    weightHh: draw.floats(gates * hiddenSize, weightScale),
    ...(recurrentDropout && { weightMask: draw.mask(gates * hiddenSize) }),
    biasIh: draw.floats(gates, 0.5),
    biasHh: draw.floats(gates, 0.5),
  };
  const gradientOutput = draw.floats(positions * hiddenSize, 1 / Math.sqrt(positions));
  return { ...sizes, inputSize, inputs, gradientOutput };
}

/** Those steps of the whole batch: the same layer over part of the sequence. */
export function stepsOf(layer: LayerCase, first: number, end: number): LayerCase {
  const cut = <A extends Float32Array | Int32Array>(array: A) => {
    const perStep = array.length / layer.time;
    return array.slice(first * perStep, end * perStep) as A;
  };
  return {
    ...layer,
    time: end - first,
    inputs: { ...layer.inputs, input: cut(layer.inputs.input) },
    gradientOutput: cut(layer.gradientOutput),
  };
}

/** One sequence of the batch, alone. */
export function rowOf(layer: LayerCase, row: number): LayerCase {
  const { time, batch, inputSize } = layer;
  const { input, inputMask, stateMask, hidden, cellState } = layer.inputs;
  const cut = <A extends Float32Array | Int32Array>(array: A, steps: number): A => {
    const size = array.length / (steps * batch);
    const own = array.slice(0, steps * size);
    for (let t = 0; t < steps; t++) own.set(stepOfRow(array, { t, row, steps, batch }), t * size);
    return own as A;
  };
  const maskRow = inputMask && row % (inputMask.length / inputSize);
  return {
    ...layer,
    batch: 1,
    inputs: {
      ...layer.inputs,
      input: cut(input, time),
      ...(inputMask &&
        maskRow !== undefined && {
          inputMask: inputMask.slice(maskRow * inputSize, (maskRow + 1) * inputSize),
        }),
      ...(stateMask && { stateMask: cut(stateMask, 1) }),
      hidden: cut(hidden, 1),
      ...(cellState && { cellState: cut(cellState, 1) }),
    },
    gradientOutput: cut(layer.gradientOutput, time),
  };
}

/** Step `t` of one row of the batch in an array `[steps, batch, ...]`. */
export function stepOfRow<A extends Float32Array | Int32Array>(
  array: A,
  at: { t: number; row: number; steps: number; batch: number },
): A {
  const size = array.length / (at.steps * at.batch);
  const start = (at.t * at.batch + at.row) * size;
  return array.slice(start, start + size) as A;
}

/** What a backend's layer is called with. */
export function callOf({ inputs, ...sizes }: LayerCase): RnnLayer {
  return { ...sizes, ...inputs };
}

/** Copies of all that a layer gives forward. */
export function forward(
  backend: Backend,
  layer: LayerCase,
  workspace = backend.createWorkspace(),
): LayerOutputs {
  const { output, ...states } = backend.rnnForward(callOf(layer), workspace);
  return present({ output: numbersOf(output), ...states });
}

/** Copies of all that a layer gives forward and backward. */
export function forwardAndBackward(
  backend: Backend,
  layer: LayerCase,
  workspace = backend.createWorkspace(),
): LayerOutputs & LayerGradients {
  const outputs = forward(backend, layer, workspace);
  return { ...outputs, ...backward(backend, layer, workspace) };
}

/** Copies of all that a layer gives back over the sequence that the workspace saw last. */
export function backward(
  backend: Backend,
  layer: LayerCase,
  workspace: ReturnType<Backend["createWorkspace"]>,
): LayerGradients {
  // What was in a gradient before must not matter.
  const garbage = (like: Float32Array) => new Float32Array(like.length).fill(7);
  const { weightIh, weightHh, biasIh, biasHh, embedding } = layer.inputs;
  const gradients = {
    gradientWeightIh: garbage(weightIh),
    gradientWeightHh: garbage(weightHh),
    gradientBiasIh: garbage(biasIh),
    gradientBiasHh: garbage(biasHh),
    gradientEmbedding: embedding && garbage(embedding),
  };
  const call = { ...gradients, gradientOutput: layer.gradientOutput };
  const made = backend.rnnBackward(callOf(layer), call, workspace);
  return present({ ...gradients, ...readAll(made) });
}

function readAll(made: RnnInputGradients) {
  const { gradientInput, gradientHidden, gradientCellState } = made;
  return {
    gradientInput: gradientInput && numbersOf(gradientInput),
    gradientHidden: numbersOf(gradientHidden),
    gradientCellState: gradientCellState && numbersOf(gradientCellState),
  };
}

/** Without the names that have no value. */
function present<Holder extends object>(holder: Holder): Holder {
  return Object.fromEntries(
    Object.entries(holder).filter(([, value]) => value !== undefined),
  ) as Holder;
}

/** Random parameters for a model, by PyTorch name. */
export function randomParameters(config: ModelConfig, draw: Draw): Map<string, Float32Array> {
  const scale = 1.5 / Math.sqrt(config.hiddenSize);
  const parameters = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(config)) {
    const length = shape.reduce((product, size) => product * size, 1);
    parameters.set(name, draw.floats(length, scale));
  }
  return parameters;
}
