import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import {
  type RnnSequenceGradOutputs,
  type RnnSequenceInputs,
  type RnnSequenceOutputs,
  rnnSequence,
  rnnSequenceGrad,
} from "#src/backends/backend.js";
import { Workspace } from "#src/backends/workspace.js";
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
  /** Whether the recurrent weights and what they see of the state are masked. */
  readonly recurrentDropout?: boolean;
  readonly inputs: RnnSequenceInputs<Float32Array | Int32Array>;
  readonly gradientOutput: Float32Array;
}

type Sizes = Omit<LayerCase, "inputs" | "gradientOutput" | "inputSize"> & { inputSize?: number };

/** Random numbers for a layer of these sizes, none of its states or biases zero. */
export function layerCase(sizes: Sizes, draw: Draw): LayerCase {
  const { cell, kind, time, batch, hiddenSize, vocabulary, recurrentDropout } = sizes;
  const inputSize = kind.endsWith("one-hot") ? vocabulary : (sizes.inputSize ?? 5);
  const gates = CELLS[cell].gates.length * hiddenSize;
  const places = time * batch;
  const isTokens = !kind.endsWith("vectors");
  // Of three masks some lanes have the same.
  const masks = isTokens ? Math.min(batch, 3) : batch;
  // Two masks make what they leave larger, and rounding errors must not grow from step to step.
  const weightScale = (recurrentDropout ? 0.25 : 1.5) / Math.sqrt(hiddenSize);
  const inputs: RnnSequenceInputs<Float32Array | Int32Array> = {
    input: isTokens ? draw.tokens(places, vocabulary) : draw.floats(places * inputSize),
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
  const gradientOutput = draw.floats(places * hiddenSize, 1 / Math.sqrt(places));
  return { ...sizes, inputSize, inputs, gradientOutput };
}

/** Those steps of all lanes: the same layer over part of the sequence. */
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

/** One lane of a case, alone. */
export function laneOf(layer: LayerCase, lane: number): LayerCase {
  const { time, batch } = layer;
  const { input, inputMask, stateMask, hidden, cellState } = layer.inputs;
  const cut = <A extends Float32Array | Int32Array>(array: A, rows: number): A => {
    const size = array.length / (rows * batch);
    const own = array.slice(0, rows * size);
    for (let t = 0; t < rows; t++) own.set(laneRow(array, t, lane, rows, batch), t * size);
    return own as A;
  };
  return {
    ...layer,
    batch: 1,
    inputs: {
      ...layer.inputs,
      input: cut(input, time),
      ...(inputMask && { inputMask: maskOf(inputMask, layer, lane) }),
      ...(stateMask && { stateMask: cut(stateMask, 1) }),
      hidden: cut(hidden, 1),
      ...(cellState && { cellState: cut(cellState, 1) }),
    },
    gradientOutput: cut(layer.gradientOutput, time),
  };
}

/** The mask of one lane's input. */
function maskOf(
  inputMask: Float32Array | Int32Array,
  { inputSize }: LayerCase,
  lane: number,
): Float32Array {
  const row = lane % (inputMask.length / inputSize);
  return Float32Array.from(inputMask.slice(row * inputSize, (row + 1) * inputSize));
}

/** Step `t` of one lane in an array of `rows` steps `[rows, batch, ...]`. */
export function laneRow<A extends Float32Array | Int32Array>(
  array: A,
  t: number,
  lane: number,
  rows: number,
  batch: number,
): A {
  const size = array.length / (rows * batch);
  const start = (t * batch + lane) * size;
  return array.slice(start, start + size) as A;
}

/** The case's numbers as tensors. */
export function layerTensors(layer: LayerCase): RnnSequenceInputs<Tensor> {
  const { time, batch, hiddenSize, inputSize, vocabulary, inputs } = layer;
  const gates = inputs.biasIh.length;
  const isTokens = inputs.input instanceof Int32Array;
  const shapes: Record<keyof RnnSequenceInputs<never>, number[]> = {
    input: isTokens ? [time, batch] : [time, batch, inputSize],
    embedding: [vocabulary, inputSize],
    inputMask: [(inputs.inputMask?.length ?? 0) / inputSize, inputSize],
    hidden: [batch, hiddenSize],
    stateMask: [batch, hiddenSize],
    cellState: [batch, hiddenSize],
    weightIh: [gates, inputSize],
    weightHh: [gates, hiddenSize],
    weightMask: [gates, hiddenSize],
    biasIh: [gates],
    biasHh: [gates],
  };
  const tensors = Object.entries(inputs).map(([name, values]) => {
    const shape = shapes[name as keyof typeof shapes];
    return [
      name,
      tensor(values.slice(), shape, name === "input" && isTokens ? "int32" : "float32"),
    ];
  });
  return Object.fromEntries(tensors) as RnnSequenceInputs<Tensor>;
}

/** Copies of all that a layer gives forward; within a scope. */
export function forward(
  layer: LayerCase,
  workspace = new Workspace(),
): RnnSequenceOutputs<Float32Array> {
  return copied(rnnSequence(layerTensors(layer), { cell: layer.cell, workspace }));
}

/** Copies of all that a layer gives forward and backward; within a scope. */
export function forwardAndBackward(
  layer: LayerCase,
  workspace = new Workspace(),
): RnnSequenceOutputs<Float32Array> & RnnSequenceGradOutputs<Float32Array> {
  const inputs = layerTensors(layer);
  const outputs = copied(rnnSequence(inputs, { cell: layer.cell, workspace }));
  return { ...outputs, ...copied(goBack(layer, inputs, workspace)) };
}

/** Back over the sequence that the workspace saw last. */
export function goBack(
  { time, batch, hiddenSize, cell, gradientOutput }: LayerCase,
  inputs: RnnSequenceInputs<Tensor>,
  workspace: Workspace,
): RnnSequenceGradOutputs<Tensor> {
  // What was in a gradient before must not matter.
  const garbage = (like: Tensor) => tensor(new Float32Array(like.size).fill(7), like.shape);
  return rnnSequenceGrad(
    {
      ...inputs,
      gradientOutput: tensor(gradientOutput.slice(), [time, batch, hiddenSize]),
      gradientWeightIh: garbage(inputs.weightIh),
      gradientWeightHh: garbage(inputs.weightHh),
      gradientBiasIh: garbage(inputs.biasIh),
      gradientBiasHh: garbage(inputs.biasHh),
      gradientEmbedding: inputs.embedding && garbage(inputs.embedding),
    },
    { cell, workspace },
  );
}

/** The numbers of some tensors under the same names; those that are missing stay out. */
export function copied<Holder extends object>(
  tensors: Holder,
): { [Name in keyof Holder]: Float32Array | Extract<Holder[Name], undefined> } {
  const given = Object.entries(tensors).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => [name, numbersOf(value as Tensor)]),
  ) as ReturnType<typeof copied<Holder>>;
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
