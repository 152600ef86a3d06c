/**
 * The contract of a backend: the few operations in which a character-level recurrent network spends
 * its time. Callers need to know nothing else about what does the arithmetic. What each returns, to within rounding,
 * is defined in `test/reference/`, which the conformance tests hold every backend to.
 *
 * Arrays are row-major. In shapes, `time` is the number of steps, `batch` the number of sequences read side by
 * side, `input`, `hidden` and `vocabulary` are sizes, and `gates` is the number of a cell's gates times the
 * hidden size. Weights have PyTorch's shapes and order of gates (`config/cells.ts`).
 *
 * For all operations:
 *
 * - A {@link Tensor} is an array, or numbers that a backend keeps in its own memory or layout. Arrays
 *   are taken everywhere and by every backend; an {@link OpaqueTensor} only by the one that made it.
 * - What is called `gradient...` is the gradient of the mean loss with respect to the rest of the name. Gradients
 *   with respect to weights are written into the tensors given for them: overwritten, never added to.
 * - Nothing else that is passed in is changed. No array that is written to overlaps one that is read.
 * - Results are new arrays that the caller owns, except those that are said to live in a {@link Workspace}.
 * - NaN and infinity are numbers like others: what depends on one is NaN or infinite too, and only
 *   the optimizers' steps look for them.
 * - The same call gives the same bytes, no matter what the workspace held before. On native and wasm a
 *   sequence's results do not depend on the others in the batch, or on the number of threads.
 * - A signal of the system may stop the forward, backward and loss operations (see `stop.ts`): they
 *   throw, and what they were writing to is of no use then. Steps of optimizers are never stopped.
 */
import type { CellName } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";
import type { BackendName } from "../config/names.js";
import type { RowSums } from "./row-sums.js";

/** Numbers in row-major order that a backend keeps where or as they are fastest for it. */
export interface OpaqueTensor {
  /** How many numbers there are. */
  readonly length: number;
  /** A copy of the numbers, in row-major order. */
  read(): Float32Array;
}

export type Tensor = Float32Array | OpaqueTensor;

/**
 * A dropout mask, described by what it is made from: zero with probability `rate`, elsewhere 1 / (1 - rate).
 * Element i is kept when word i of the Philox stream `key` is at or above rate * 2^32
 * (`test/reference/dropout.ts`).
 */
export interface DropoutMask {
  /** How many numbers there are. */
  readonly length: number;
  /** Above 0, below 1. */
  readonly rate: number;
  readonly key: readonly [number, number];
}

/** Factors that something is multiplied by, element by element. */
export type Mask = Float32Array | DropoutMask;

/**
 * One number for each parameter of a model (the weights themselves, their gradients, an optimizer's
 * moments), seen as a whole and by parameter: what is written to the whole is seen in its slices,
 * and the other way round.
 */
export interface ParameterArray {
  /** All numbers, `[parameters]`. */
  readonly flat: Tensor;
  /** The slice of each parameter, by its name, in order. */
  readonly byName: ReadonlyMap<string, Tensor>;
  /** The slice of this name, which must exist. */
  of(name: string): Tensor;
  /** All numbers as they are now: not to be changed, and, on some backends, changed later. */
  read(): Float32Array;
  /** Overwrites all numbers by a copy of `values`. */
  write(values: Float32Array): void;
  /** Overwrites the slice of this name by a copy of `values`. */
  writeSlice(name: string, values: Float32Array): void;
  /** To be called when it is no longer needed: its memory may not be the garbage collector's. */
  dispose(): void;
}

/**
 * Scratch memory of one layer or one decoder, of the backend that made it. It grows to what the
 * largest call needs, and carries what a forward operation leaves for its backward one.
 */
export interface Workspace {
  /** Size of the buffers in JavaScript's memory. */
  readonly bytes: number;
  /** To be called when it is no longer needed, as for a {@link ParameterArray}. */
  dispose(): void;
}

/** One recurrent layer, and a sequence that it reads. */
export interface RnnLayer {
  readonly cell: CellName;
  readonly time: number;
  readonly batch: number;
  /** Size of the vectors that the layer reads; for tokens without an embedding, of the vocabulary. */
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Tokens `[time, batch]`, or vectors `[time, batch, input]`. */
  readonly input: Int32Array | Tensor;
  /** `[vocabulary, input]`, for tokens only; without it they are one-hot vectors. */
  readonly embedding?: Tensor | undefined;
  /**
   * For vectors `[batch, input]`: multiplies those of every step. For tokens `[masks, input]`: row
   * b mod masks multiplies the vectors of sequence b; the fewer masks, the fewer products.
   */
  readonly inputMask?: Mask | undefined;
  /** `[gates, input]` */
  readonly weightIh: Tensor;
  /** `[gates, hidden]` */
  readonly weightHh: Tensor;
  /** `[gates, hidden]`: multiplies the recurrent weights. */
  readonly weightMask?: Mask | undefined;
  /** `[gates]` */
  readonly biasIh: Tensor;
  /** `[gates]` */
  readonly biasHh: Tensor;
  /** `[batch, hidden]`: the state before the first step. */
  readonly hidden: Float32Array;
  /** `[batch, hidden]`: multiplies what the recurrent weights read of the state, at every step. */
  readonly stateMask?: Mask | undefined;
  /** `[batch, hidden]`: the cell state before the first step, for an LSTM. */
  readonly cellState?: Float32Array | undefined;
}

export interface RnnOutputs {
  /** `[time, batch, hidden]`: in the workspace, until the next call with it. */
  readonly output: Tensor;
  /** `[batch, hidden]`: the state after the last step. */
  readonly hidden: Float32Array;
  /** `[batch, hidden]`, for an LSTM. */
  readonly cellState?: Float32Array | undefined;
}

/** Where the gradients of a layer come from and go to. */
export interface RnnGradients {
  /**
   * `[time, batch, hidden]`. There is none with respect to the final state: back-propagation through
   * time is truncated.
   */
  readonly gradientOutput: Tensor;
  /** `[gates, input]`: overwritten. */
  readonly gradientWeightIh: Tensor;
  /** `[gates, hidden]`: overwritten. */
  readonly gradientWeightHh: Tensor;
  /** `[gates]`: overwritten. */
  readonly gradientBiasIh: Tensor;
  /** `[gates]`: overwritten. */
  readonly gradientBiasHh: Tensor;
  /** `[vocabulary, input]`: overwritten; must be given where the layer has an embedding. */
  readonly gradientEmbedding?: Tensor | undefined;
}

/** All in the workspace, until the next call with it. */
export interface RnnInputGradients {
  /** `[time, batch, input]`, for vectors only. */
  readonly gradientInput?: Tensor | undefined;
  /** `[batch, hidden]`: with respect to the state before the first step. */
  readonly gradientHidden: Tensor;
  /** `[batch, hidden]`, for an LSTM. */
  readonly gradientCellState?: Tensor | undefined;
}

/** The linear layer that turns states into logits, and what it is to predict. */
export interface Decoder {
  readonly time: number;
  readonly batch: number;
  readonly hiddenSize: number;
  /** `[time, batch, hidden]` */
  readonly input: Tensor;
  /** `[batch, hidden]`: multiplies the input of every step. */
  readonly inputMask?: Mask | undefined;
  /** `[vocabulary, hidden]` */
  readonly weight: Tensor;
  /** `[vocabulary]` */
  readonly bias: Tensor;
  /** `[time, batch]`; below 0: this position is neither learned nor scored. */
  readonly targets: Int32Array;
}

/** Where the gradients of a decoder go. */
export interface DecoderGradients {
  /** `[vocabulary, hidden]`: overwritten. */
  readonly gradientWeight: Tensor;
  /** `[vocabulary]`: overwritten. */
  readonly gradientBias: Tensor;
}

interface Predictions {
  /** `[time, batch]`, nats: minus the log of the target's probability; 0 where there is no target. */
  readonly losses: Float32Array;
  /** `[time, batch]`: the most likely token, the first of equally likely ones. */
  readonly predictions: Int32Array;
}

export interface RankedPredictions extends Predictions {
  /**
   * `[time, batch]`: how many tokens are likelier than the target, or equally likely and before it; 0
   * where there is no target, and undefined where one of the logits is NaN.
   */
  readonly ranks: Int32Array;
}

export interface PredictionsWithGradient extends Predictions {
  /** `[time, batch, hidden]`: in the workspace, until the next call with it. */
  readonly gradientInput: Tensor;
}

/** What every optimizer does with the gradients before it uses them, and with the weights. */
export interface StepSettings {
  readonly learningRate: number;
  /** The largest global norm of the gradients, which are scaled down to it; 0: no limit. */
  readonly clipNorm: number;
  /** The largest absolute value of each gradient, clipped after `clipNorm`; 0: no limit. */
  readonly clipValue: number;
  /** Decoupled: each step subtracts learningRate * weightDecay times each parameter. */
  readonly weightDecay: number;
  /**
   * How many of the first parameters are sparse: rows of large tables, of which a batch reads few. Those whose gradient is
   * zero only decay, and their moments stay as they are. 0 if left out.
   */
  readonly sparse?: number | undefined;
  /** The weight decay of the sparse ones; 0 if left out. */
  readonly sparseWeightDecay?: number | undefined;
  /** With an average: the fraction of it that this step keeps; the rest comes from the new parameters. */
  readonly averageDecay?: number | undefined;
  /** That of the sparse ones; 1: their average stays as it is. `averageDecay` if left out. */
  readonly sparseAverageDecay?: number | undefined;
}

/** Sparse parameters of which {@link StepArrays.nonzero} has a number. */
export const SPARSE_GROUP = 16;

/** Each `[parameters]`, and updated in place. */
export interface StepArrays {
  readonly parameters: Tensor;
  /** Changed where they are clipped. */
  readonly gradients: Tensor;
  /**
   * `[sparse / SPARSE_GROUP]`, rounded down: 0 where the gradients of a group of sparse parameters are all zero. Without
   * it the step looks at all of them, and does the same.
   */
  readonly nonzero?: Uint8Array | undefined;
  /** The exponential moving average of the parameters over the steps. */
  readonly average?: Tensor | undefined;
}

export interface AdamSettings extends StepSettings {
  /** NAdam's step, which looks ahead by the gradient, in place of Adam's. */
  readonly nesterov?: boolean | undefined;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** The number of this step, from 1. */
  readonly step: number;
}

export interface AdamArrays extends StepArrays {
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
}

export interface SgdSettings extends StepSettings {
  readonly momentum: number;
}

export interface RmsPropSettings extends StepSettings {
  readonly decay: number;
  readonly epsilon: number;
}

export interface MomentArrays extends StepArrays {
  readonly moment: Tensor;
}

/** A model whose parameters stay as they are while sessions of it are open. */
export interface DecodeModel {
  readonly config: ModelConfig;
  readonly parameters: ParameterArray;
}

/** Sequences that a model reads side by side, one token of each at a time; it holds their states. */
export interface DecodeSession {
  /**
   * Reads one more token of each sequence, or of the first ones. With fewer tokens than sequences the states of
   * the others are lost: they have to be written before a step that reads them.
   *
   * @param tokens one for each of these sequences, at least one
   * @returns the logits of the tokens that follow, `[tokens.length, vocabulary]`: the caller may change
   *   them, and the next step overwrites them
   */
  step(tokens: Int32Array): Float32Array;
  /** @returns the state of a sequence, `[layers, states, hidden]`: of an LSTM the cell state after the hidden state */
  readState(sequence: number): Float32Array;
  /** Gives a sequence such a state; all zeros is that before any text. */
  writeState(sequence: number, state: Float32Array): void;
  /** To be called when it is no longer needed; it can't be used any more. */
  dispose(): void;
}

/** The TensorFlow that is used. */
export interface TensorFlowFacts {
  readonly version: string;
  readonly device: "CPU" | "GPU";
  /** Recurrent layers use cuDNN's operations. */
  readonly cudnn: boolean;
}

/** What a backend found on this machine. */
export interface BackendFacts {
  /** What makes it slower than it could be here, a sentence. */
  readonly warning?: string | undefined;
  /** The one in use; and all that the processor has, the fastest first. */
  readonly instructionSet?: string;
  readonly instructionSets?: readonly string[];
  readonly tensorflow?: TensorFlowFacts;
}

/** Several can be used side by side in one process. They share TensorFlow itself and its threads. */
export interface Backend {
  readonly name: BackendName;
  /** Threads that compute. */
  readonly threads: number;
  readonly facts: BackendFacts;

  /** A new array of zeros with a slice for each name, in the order and with the shapes of the map. */
  parameterArray(shapes: ReadonlyMap<string, readonly number[]>): ParameterArray;
  createWorkspace(): Workspace;

  /**
   * One recurrent layer over a sequence (`test/reference/cells.ts`). The workspace keeps what
   * {@link rnnBackward} needs.
   */
  rnnForward(layer: RnnLayer, workspace: Workspace): RnnOutputs;
  /**
   * The same layer backward through time. `layer` is what the last call with this workspace, which
   * was {@link rnnForward}, was given; none of it has changed since.
   */
  rnnBackward(layer: RnnLayer, gradients: RnnGradients, workspace: Workspace): RnnInputGradients;

  /**
   * Logits, softmax and cross-entropy, and the gradients of the mean loss over all positions with a
   * target (`test/reference/model.ts`).
   */
  linearCrossEntropy(
    decoder: Decoder,
    gradients: DecoderGradients,
    workspace: Workspace,
  ): PredictionsWithGradient;
  /**
   * The same without gradients, but with the targets' ranks.
   *
   * @param logits `[time, batch, vocabulary]`: overwritten, where they are wanted
   */
  linearCrossEntropyScores(
    decoder: Decoder,
    workspace: Workspace,
    logits?: Float32Array,
  ): RankedPredictions;

  /**
   * Adam or NAdam with decoupled weight decay, in PyTorch's formulas (Kingma and Ba, 2015; Dozat, 2016;
   * Loshchilov and Hutter, 2019).
   *
   * As all optimizer steps (`test/reference/optimizers.ts`) it updates the arrays in place.
   *
   * @returns the global norm of the gradients before clipping, in single precision; where it is not finite, no
   *   array has changed
   */
  adamStep(arrays: AdamArrays, settings: AdamSettings): number;
  /** Gradient descent with momentum, in PyTorch's formula (Sutskever et al., 2013). */
  sgdStep(arrays: MomentArrays, settings: SgdSettings): number;
  /** RMSProp, in PyTorch's formula (Hinton's lecture 6e, 2012). */
  rmsPropStep(arrays: MomentArrays, settings: RmsPropSettings): number;

  /**
   * Overwrites `vectors`, `[sums, size]`, by sums of the rows of a table, which is where the parameters begin
   * (`row-sums.ts` defines this and the next one).
   */
  sumRows(sums: RowSums, parameters: ParameterArray, vectors: Float32Array): void;
  /**
   * Writes the gradient of each row of the table, with which the gradients begin. All of it must be zero before.
   *
   * @param gradient `[sums, size]`, with respect to the sums
   */
  spreadRows(sums: RowSums, gradient: Float32Array, gradients: ParameterArray): void;

  /**
   * Writes gradients times `factor` into a record of 8 bits a number (`gradient-record.ts`, which defines this and
   * the next two to the bit).
   *
   * @param record of `recordBytes` bytes, which begins at a multiple of 4 in its buffer
   */
  packGradients(gradients: ParameterArray, factor: number, record: Uint8Array): void;
  /**
   * Adds up records of the same numbers in a fixed order, and packs the sums.
   *
   * @param records one after the other, each as long as `sum`: at most 4,096
   */
  addRecords(records: Uint8Array, sum: Uint8Array): void;
  /** Overwrites gradients by the numbers of their record. */
  unpackGradients(record: Uint8Array, gradients: ParameterArray): void;

  /** Opens a session of `sequences` (`test/reference/model.ts`), all from a state of zero. */
  openDecodeSession(model: DecodeModel, sequences: number): DecodeSession;
}
