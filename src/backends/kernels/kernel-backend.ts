import { CELLS } from "../../config/cells.js";
import type { BackendName } from "../../config/names.js";
import { adamSizes } from "../adam-sizes.js";
import type {
  AdamArrays,
  AdamSettings,
  Backend,
  BackendFacts,
  DecodeModel,
  Decoder,
  DecoderGradients,
  DecodeSession,
  Mask,
  MomentArrays,
  ParameterArray,
  PredictionsWithGradient,
  RankedPredictions,
  RmsPropSettings,
  RnnGradients,
  RnnInputGradients,
  RnnLayer,
  RnnOutputs,
  SgdSettings,
  StepArrays,
  StepSettings,
  Tensor,
  Workspace,
} from "../backend.js";
import { RECORD_BLOCK_BYTES } from "../gradient-record.js";
import { arrayOf, lengthOf, numbersOf, PlainParameterArray } from "../plain-arrays.js";
import type { RowSums } from "../row-sums.js";
import { openDecodeSession } from "./decode-session.js";
import { type Kernels, type MaskArgument, VECTOR_WIDTH } from "./kernels.js";
import { PackedTensor } from "./packed-tensor.js";

/**
 * A backend of the kernels of `native/`, compiled in one way or another. They use arrays in place; a
 * layer's outputs and gradients stay in panels in its scratch memory (see {@link PackedTensor}), and
 * dropout masks are generated where they are used.
 */
export class KernelBackend implements Backend {
  readonly #kernels: Kernels;

  constructor(
    readonly name: BackendName,
    kernels: Kernels,
    readonly threads: number,
    readonly facts: BackendFacts = {},
  ) {
    kernels.useThreads(threads);
    this.#kernels = kernels;
  }

  parameterArray(shapes: ReadonlyMap<string, readonly number[]>): PlainParameterArray {
    const numbers = this.#kernels.allocate(lengthOf(shapes));
    return new PlainParameterArray(numbers, shapes, () => this.#kernels.free(numbers));
  }

  createWorkspace(): Workspace {
    return new KernelWorkspace(this.#kernels);
  }

  rnnForward(layer: RnnLayer, workspace: Workspace): RnnOutputs {
    const { cell, time, batch, hiddenSize } = layer;
    const kernels = this.#threaded();
    const sequence = sequenceArguments(layer, kernels, workspace);
    const hidden = new Float32Array(batch * hiddenSize);
    const cellState = CELLS[cell].hasCellState ? new Float32Array(batch * hiddenSize) : undefined;
    const offset = kernels.forwardSequence({
      ...sequence,
      hiddenAfter: hidden,
      cellAfter: cellState,
    });
    // The initial state precedes the outputs of each panel.
    const stride = (time + 1) * batch * VECTOR_WIDTH;
    const panels = { data: sequence.scratch, offset, stride };
    return { output: new PackedTensor(panels, time * batch, hiddenSize), hidden, cellState };
  }

  rnnBackward(layer: RnnLayer, gradients: RnnGradients, workspace: Workspace): RnnInputGradients {
    const { time, batch, inputSize, hiddenSize } = layer;
    const kernels = this.#threaded();
    const sequence = sequenceArguments(layer, kernels, workspace);
    const { gradientOutput, gradientEmbedding } = gradients;
    const gradientHidden = new Float32Array(batch * hiddenSize);
    const gradientCellState = layer.cellState && new Float32Array(batch * hiddenSize);
    const offset = kernels.backwardSequence({
      ...sequence,
      ...(gradientOutput instanceof PackedTensor
        ? { gradientOutputPanels: gradientOutput.panels }
        : { gradientOutput: numbersOf(gradientOutput) }),
      gradientWeightIh: arrayOf(gradients.gradientWeightIh),
      gradientWeightHh: arrayOf(gradients.gradientWeightHh),
      gradientBiasIh: arrayOf(gradients.gradientBiasIh),
      gradientBiasHh: arrayOf(gradients.gradientBiasHh),
      gradientEmbedding: gradientEmbedding && arrayOf(gradientEmbedding),
      gradientHidden,
      gradientCellState,
    });
    if (layer.input instanceof Int32Array) return { gradientHidden, gradientCellState };
    const rows = time * batch;
    const panels = { data: sequence.scratch, offset, stride: rows * VECTOR_WIDTH };
    const gradientInput = new PackedTensor(panels, rows, inputSize);
    return { gradientInput, gradientHidden, gradientCellState };
  }

  linearCrossEntropy(
    decoder: Decoder,
    gradients: DecoderGradients,
    workspace: Workspace,
  ): PredictionsWithGradient {
    const rows = decoder.targets.length;
    const kernels = this.#threaded();
    const call = decoderArguments(decoder, true, kernels, workspace);
    const offset = kernels.crossEntropy({
      ...call,
      gradientWeight: arrayOf(gradients.gradientWeight),
      gradientBias: arrayOf(gradients.gradientBias),
    });
    const panels = { data: call.scratch, offset, stride: rows * VECTOR_WIDTH };
    const { losses, predictions } = call;
    return {
      losses,
      predictions,
      gradientInput: new PackedTensor(panels, rows, decoder.hiddenSize),
    };
  }

  linearCrossEntropyScores(
    decoder: Decoder,
    workspace: Workspace,
    logits?: Float32Array,
  ): RankedPredictions {
    const kernels = this.#threaded();
    const call = decoderArguments(decoder, false, kernels, workspace);
    const ranks = new Int32Array(decoder.targets.length);
    kernels.crossEntropy({ ...call, ranks, logits });
    return { losses: call.losses, predictions: call.predictions, ranks };
  }

  adamStep(arrays: AdamArrays, settings: AdamSettings): number {
    const { beta1, beta2, epsilon, step } = settings;
    const norm = this.#threaded().adamStep({
      ...stepArguments(arrays, settings),
      firstMoment: arrayOf(arrays.firstMoment),
      secondMoment: arrayOf(arrays.secondMoment),
      beta1,
      beta2,
      epsilon,
      ...adamSizes(settings),
      correction: Math.sqrt(1 - beta2 ** step),
    });
    return Math.fround(norm);
  }

  sgdStep(arrays: MomentArrays, settings: SgdSettings): number {
    const norm = this.#threaded().sgdStep({
      ...stepArguments(arrays, settings),
      moment: arrayOf(arrays.moment),
      momentum: settings.momentum,
    });
    return Math.fround(norm);
  }

  rmsPropStep(arrays: MomentArrays, settings: RmsPropSettings): number {
    const norm = this.#threaded().rmsPropStep({
      ...stepArguments(arrays, settings),
      moment: arrayOf(arrays.moment),
      decay: settings.decay,
      epsilon: settings.epsilon,
    });
    return Math.fround(norm);
  }

  sumRows(sums: RowSums, parameters: ParameterArray, vectors: Float32Array): void {
    const table = tableOf(sums, vectors, numbersOf(parameters.flat));
    this.#threaded().sumRows({ ...table, vectors });
  }

  spreadRows(sums: RowSums, gradient: Float32Array, gradients: ParameterArray): void {
    const table = tableOf(sums, gradient, arrayOf(gradients.flat));
    this.#threaded().spreadRows({ ...table, gradient });
  }

  packGradients(gradients: ParameterArray, factor: number, record: Uint8Array): void {
    const { flat } = gradients;
    const count = flat.length;
    this.#threaded().packGradients({ count, gradients: numbersOf(flat), factor, record });
  }

  addRecords(records: Uint8Array, sum: Uint8Array): void {
    const count = records.length / sum.length;
    const blocks = sum.length / RECORD_BLOCK_BYTES;
    this.#threaded().addRecords({ count, blocks, records, sum });
  }

  unpackGradients(record: Uint8Array, gradients: ParameterArray): void {
    const { flat } = gradients;
    const count = flat.length;
    this.#threaded().unpackGradients({ count, record, gradients: arrayOf(flat) });
  }

  openDecodeSession({ config, parameters }: DecodeModel, sequences: number): DecodeSession {
    const numbers = (name: string) => numbersOf(parameters.of(name));
    return openDecodeSession(this.#threaded(), config, numbers, sequences);
  }

  /** The kernels, with the threads of this backend: another one may have used them meanwhile. */
  #threaded(): Kernels {
    this.#kernels.useThreads(this.threads);
    return this.#kernels;
  }
}

class KernelWorkspace implements Workspace {
  readonly #kernels: Kernels;
  #memory: Float32Array | undefined;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  get bytes(): number {
    return this.#memory?.byteLength ?? 0;
  }

  /** Scratch memory of this length, with what the last call left in it. */
  take(length: number, kernels: Kernels): Float32Array {
    if (kernels !== this.#kernels) throw ofAnotherBackend();
    if (this.#memory === undefined || this.#memory.length < length) {
      this.#free();
      this.#memory = kernels.allocate(length);
    }
    return this.#memory.subarray(0, length);
  }

  dispose(): void {
    this.#free();
  }

  #free(): void {
    if (this.#memory) this.#kernels.free(this.#memory);
    this.#memory = undefined;
  }
}

function scratch(workspace: Workspace, length: number, kernels: Kernels): Float32Array {
  if (workspace instanceof KernelWorkspace) return workspace.take(length, kernels);
  throw ofAnotherBackend();
}

function ofAnotherBackend(): Error {
  return new Error("This is the workspace of another backend.");
}

function sequenceArguments(layer: RnnLayer, kernels: Kernels, workspace: Workspace) {
  const { cell, time, batch, inputSize, hiddenSize, input, embedding, inputMask } = layer;
  const { stateMask, weightMask } = layer;
  const vocabulary = embedding ? embedding.length / inputSize : inputSize;
  const shape = {
    cell,
    time,
    batch,
    input: inputSize,
    hidden: hiddenSize,
    vocabulary: input instanceof Int32Array ? vocabulary : 0,
    hasEmbedding: embedding !== undefined,
    inputMasks: inputMask ? inputMask.length / inputSize : 0,
    hasStateMask: stateMask !== undefined,
    hasWeightMask: weightMask !== undefined,
  };
  return {
    ...shape,
    scratch: scratch(workspace, kernels.sequenceScratch(shape), kernels),
    ...(input instanceof Int32Array ? { tokens: input } : vectorArgument(input)),
    inputMask: maskArgument(inputMask),
    embedding: embedding && numbersOf(embedding),
    weightIh: numbersOf(layer.weightIh),
    weightHh: numbersOf(layer.weightHh),
    weightMask: maskArgument(weightMask),
    biasIh: numbersOf(layer.biasIh),
    biasHh: numbersOf(layer.biasHh),
    hiddenBefore: layer.hidden,
    stateMask: maskArgument(stateMask),
    cellBefore: layer.cellState,
  };
}

function decoderArguments(
  decoder: Decoder,
  wantsGradient: boolean,
  kernels: Kernels,
  workspace: Workspace,
) {
  const { batch, hiddenSize, input, inputMask, targets } = decoder;
  const shape = {
    rows: targets.length,
    hidden: hiddenSize,
    vocabulary: decoder.bias.length,
    batch,
    hasMask: inputMask !== undefined,
    wantsGradient,
  };
  return {
    ...shape,
    scratch: scratch(workspace, kernels.crossEntropyScratch(shape), kernels),
    ...vectorArgument(input),
    mask: maskArgument(inputMask),
    weight: numbersOf(decoder.weight),
    bias: numbersOf(decoder.bias),
    targets,
    losses: new Float32Array(targets.length),
    predictions: new Int32Array(targets.length),
  };
}

function stepArguments(
  { parameters, gradients, nonzero, average }: StepArrays,
  settings: StepSettings,
) {
  const { averageDecay = 0, sparseAverageDecay = averageDecay } = settings;
  return {
    count: parameters.length,
    sparse: settings.sparse ?? 0,
    nonzero,
    parameters: arrayOf(parameters),
    gradients: arrayOf(gradients),
    learningRate: settings.learningRate,
    clipNorm: settings.clipNorm,
    clipValue: settings.clipValue,
    weightDecay: settings.weightDecay,
    sparseWeightDecay: settings.sparseWeightDecay ?? 0,
    average: average && arrayOf(average),
    averageDecay,
    sparseAverageDecay,
  };
}

/** @param vectors `[sums, size]` */
function tableOf(sums: RowSums, vectors: Float32Array, parameters: Float32Array) {
  const count = sums.rows.length / sums.terms;
  const size = vectors.length / count;
  return { ...sums, count, size, table: parameters.subarray(0, sums.tableRows * size) };
}

function vectorArgument(tensor: Tensor) {
  return tensor instanceof PackedTensor
    ? { inputPanels: tensor.panels }
    : { vectors: numbersOf(tensor) };
}

function maskArgument(mask: Mask | undefined): MaskArgument | undefined {
  if (mask === undefined) return undefined;
  if (mask instanceof Float32Array) return { values: mask };
  const [key0, key1] = mask.key;
  return { rate: mask.rate, key0, key1 };
}
