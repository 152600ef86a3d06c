/**
 * The kernels of `native/`, compiled, as functions of JavaScript: their arguments and what they
 * return. How they are loaded is another matter (`native/addon.ts`, `wasm/module.ts`).
 */
import type { CellName } from "../../config/cells.js";
import type { RecordKernels } from "./record-kernels.js";
import type { RowKernels } from "./row-kernels.js";

/** Columns of a panel; `native/linalg/panels.h` has the same number. */
export const VECTOR_WIDTH = 16;

/** A matrix in panels of {@link VECTOR_WIDTH} columns, somewhere in an array. */
export interface Panels {
  readonly data: Float32Array;
  /** Floats before the first panel. */
  readonly offset: number;
  /** Floats from one panel to the next. */
  readonly stride: number;
}

/** What a dropout mask is made from. */
export interface MaskSource {
  readonly rate: number;
  readonly key0: number;
  readonly key1: number;
}

/** A mask by its numbers or by what it is made from. */
export type MaskArgument = MaskSource | { readonly values: Float32Array };

export interface SequenceShape {
  readonly cell: CellName;
  readonly time: number;
  readonly batch: number;
  readonly input: number;
  readonly hidden: number;
  /** 0: the input is vectors. */
  readonly vocabulary: number;
  readonly hasEmbedding: boolean;
  /** Rows of the mask; 0: there is none. */
  readonly inputMasks: number;
  readonly hasStateMask: boolean;
  readonly hasWeightMask: boolean;
}

export interface SequenceArguments extends SequenceShape {
  readonly scratch: Float32Array;
  readonly tokens?: Int32Array;
  readonly embedding?: Float32Array;
  readonly vectors?: Float32Array;
  readonly inputPanels?: Panels;
  readonly inputMask?: MaskArgument;
  readonly weightIh: Float32Array;
  readonly weightHh: Float32Array;
  readonly weightMask?: MaskArgument;
  readonly biasIh: Float32Array;
  readonly biasHh: Float32Array;
  readonly hiddenBefore: Float32Array;
  readonly stateMask?: MaskArgument;
  readonly cellBefore?: Float32Array;
}

export interface ForwardArguments extends SequenceArguments {
  readonly hiddenAfter: Float32Array;
  readonly cellAfter?: Float32Array;
}

export interface BackwardArguments extends SequenceArguments {
  readonly gradientOutput?: Float32Array;
  readonly gradientOutputPanels?: Panels;
  readonly gradientWeightIh: Float32Array;
  readonly gradientWeightHh: Float32Array;
  readonly gradientBiasIh: Float32Array;
  readonly gradientBiasHh: Float32Array;
  readonly gradientEmbedding?: Float32Array;
  readonly gradientHidden: Float32Array;
  readonly gradientCellState?: Float32Array;
}

export interface CrossEntropyShape {
  readonly rows: number;
  readonly hidden: number;
  readonly vocabulary: number;
  /** Rows of a step, and of the mask: the batch. */
  readonly batch: number;
  readonly hasMask: boolean;
  readonly wantsGradient: boolean;
}

export interface CrossEntropyArguments extends CrossEntropyShape {
  readonly scratch: Float32Array;
  readonly vectors?: Float32Array;
  readonly inputPanels?: Panels;
  readonly mask?: MaskArgument;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly targets: Int32Array;
  readonly losses: Float32Array;
  readonly predictions: Int32Array;
  /** Without gradients only. */
  readonly ranks?: Int32Array;
  /** Without gradients only; left out where they are not wanted. */
  readonly logits?: Float32Array | undefined;
  readonly gradientWeight?: Float32Array;
  readonly gradientBias?: Float32Array;
}

export interface StepArguments {
  readonly count: number;
  readonly parameters: Float32Array;
  readonly gradients: Float32Array;
  readonly sparse: number;
  readonly nonzero?: Uint8Array | undefined;
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly clipValue: number;
  readonly weightDecay: number;
  readonly sparseWeightDecay: number;
  readonly average?: Float32Array;
  /** With `average` only. */
  readonly averageDecay?: number;
  readonly sparseAverageDecay?: number;
}

export interface AdamArguments extends StepArguments {
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Of the first moment: learningRate / (1 - beta1^t), or NAdam's. */
  readonly stepSize: number;
  /** Of the gradient: 0, or NAdam's. */
  readonly gradientSize: number;
  /** sqrt(1 - beta2^t) */
  readonly correction: number;
}

interface SgdArguments extends StepArguments {
  readonly moment: Float32Array;
  readonly momentum: number;
}

interface RmsPropArguments extends StepArguments {
  readonly moment: Float32Array;
  readonly decay: number;
  readonly epsilon: number;
}

interface LayerWeights {
  readonly weightIh: Float32Array;
  readonly weightHh: Float32Array;
  readonly biasIh: Float32Array;
  readonly biasHh: Float32Array;
}

export interface DecodeArguments {
  readonly cell: CellName;
  readonly layers: number;
  readonly sequences: number;
  readonly hidden: number;
  readonly vocabulary: number;
  /** Of a vector; 0: one-hot. */
  readonly embedding: number;
  /** Whether steps read vectors in place of tokens. */
  readonly readsVectors: boolean;
  /** `[vocabulary, embedding]`, for tokens. */
  readonly encoderWeight?: Float32Array | undefined;
  readonly weights: readonly LayerWeights[];
  readonly decoderWeight: Float32Array;
  readonly decoderBias: Float32Array;
}

/** The states of some sequences and the weights that they are read with, in the kernels' own memory. */
export interface DecodeHandle {
  readonly isDecodeSession: never;
}

/** The functions that write text. */
export interface DecodeKernels {
  openDecodeSession(model: DecodeArguments): DecodeHandle;
  /**
   * @param input tokens of the first sequences, at least one; or their vectors, `[sequences, embedding]`
   * @param logits `[sequences, vocabulary]`: overwritten
   */
  stepDecodeSession(
    session: DecodeHandle,
    input: Int32Array | Float32Array,
    logits: Float32Array,
  ): void;
  /** @param state `[layers, states, hidden]`: overwritten */
  readDecodeState(session: DecodeHandle, sequence: number, state: Float32Array): void;
  writeDecodeState(session: DecodeHandle, sequence: number, state: Float32Array): void;
  /** Frees its memory; it can't be used any more. */
  closeDecodeSession(session: DecodeHandle): void;
}

/**
 * The functions that every build of the kernels exports. Each checks all that it is given and throws
 * a TypeError for what is wrong; arrays that the kernels can reach are used in place.
 */
export interface KernelFunctions extends DecodeKernels, RecordKernels, RowKernels {
  /** Floats of scratch memory that a sequence needs. */
  sequenceScratch(shape: SequenceShape): number;
  /** @returns the offset of the outputs' panels in the scratch memory */
  forwardSequence(sequence: ForwardArguments): number;
  /** @returns the offset of the panels of the gradient with respect to the input, for vectors */
  backwardSequence(sequence: BackwardArguments): number;
  crossEntropyScratch(shape: CrossEntropyShape): number;
  /** @returns the offset of the panels of the gradient with respect to the input, if wanted */
  crossEntropy(decoder: CrossEntropyArguments): number;
  /** @returns the gradients' norm, as the other steps do */
  adamStep(step: AdamArguments): number;
  sgdStep(step: SgdArguments): number;
  rmsPropStep(step: RmsPropArguments): number;
}

/** The kernels with the memory and the threads that they use. */
export interface Kernels extends KernelFunctions {
  /** Makes the calls that follow use this many threads. */
  useThreads(threads: number): void;
  /** Zeros, aligned for vectors, where the kernels can use them in place. */
  allocate(length: number): Float32Array;
  /** Takes back an array that {@link allocate} has given; it can't be used any more. */
  free(array: Float32Array): void;
}
