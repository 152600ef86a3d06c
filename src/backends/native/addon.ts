import { createRequire } from "node:module";
import type { CellName } from "../../model/cells.js";

/** The one number that both sides must agree on; `native/addon.cc` has the same. */
const INTERFACE = 1;

/** A matrix in panels of sixteen columns (see `native/panels.h`), somewhere in an array. */
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

export interface SequenceShape {
  readonly cell: CellName;
  readonly time: number;
  readonly batch: number;
  readonly input: number;
  readonly hidden: number;
  /** 0: the input is vectors. */
  readonly vocabulary: number;
  readonly hasEmbedding: boolean;
  readonly hasMask: boolean;
}

export interface SequenceArguments extends SequenceShape {
  readonly scratch: Float32Array;
  readonly tokens?: Int32Array;
  readonly embedding?: Float32Array;
  readonly vectors?: Float32Array;
  readonly inputPanels?: Panels;
  readonly mask?: Float32Array;
  readonly dropout?: MaskSource;
  readonly weightIh: Float32Array;
  readonly weightHh: Float32Array;
  readonly biasIh: Float32Array;
  readonly biasHh: Float32Array;
  readonly hiddenBefore: Float32Array;
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
  readonly hasMask: boolean;
  readonly wantsGradient: boolean;
}

export interface CrossEntropyArguments extends CrossEntropyShape {
  readonly scratch: Float32Array;
  readonly vectors?: Float32Array;
  readonly inputPanels?: Panels;
  readonly mask?: Float32Array;
  readonly dropout?: MaskSource;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly targets: Int32Array;
  readonly losses: Float32Array;
  readonly predictions: Int32Array;
  readonly gradientWeight?: Float32Array;
  readonly gradientBias?: Float32Array;
}

export interface StepArguments {
  readonly count: number;
  readonly parameters: Float32Array;
  readonly gradients: Float32Array;
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly weightDecay: number;
}

export interface AdamArguments extends StepArguments {
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** learningRate / (1 - beta1^t) */
  readonly stepSize: number;
  /** sqrt(1 - beta2^t) */
  readonly correction: number;
}

export interface SgdArguments extends StepArguments {
  readonly moment: Float32Array;
  readonly momentum: number;
}

export interface RmsPropArguments extends StepArguments {
  readonly moment: Float32Array;
  readonly decay: number;
  readonly epsilon: number;
}

export interface LayerWeights {
  readonly weightIh: Float32Array;
  readonly weightHh: Float32Array;
  readonly biasIh: Float32Array;
  readonly biasHh: Float32Array;
}

export interface StreamsArguments {
  readonly cell: CellName;
  readonly layers: number;
  readonly streams: number;
  readonly hidden: number;
  readonly vocabulary: number;
  /** 0: one-hot. */
  readonly embedding: number;
  readonly encoderWeight?: Float32Array;
  readonly weights: readonly LayerWeights[];
  readonly decoderWeight: Float32Array;
  readonly decoderBias: Float32Array;
}

/** The state of some streams and the weights they read, in the addon's own memory. */
export interface StreamsHandle {
  readonly isStreams: never;
}

export interface AddonFacts {
  readonly interface: number;
  /** In use; the fastest that the processor has, unless another is asked for. */
  readonly instructionSet: string;
  /** All that this build and this processor have, the fastest first. */
  readonly instructionSets: readonly string[];
  readonly threads: number;
  readonly physicalCores: number;
}

/**
 * The functions of `native/addon.cc`. Each checks all that it is given and throws a TypeError for
 * what is wrong; arrays are used in place.
 */
export interface Addon {
  describe(): AddonFacts;
  setThreads(settings: { readonly threads: number }): void;
  setInstructionSet(settings: { readonly name: string }): void;
  /** Floats to leave out at an array's beginning so that the rest is aligned as scratch memory is. */
  align(memory: { readonly array: Float32Array; readonly count: number }): number;
  /** Floats of scratch memory that a sequence needs. */
  sequenceScratch(shape: SequenceShape): number;
  /** @returns the offset of the outputs' panels in the scratch memory */
  forwardSequence(sequence: ForwardArguments): number;
  /** @returns the offset of the panels of the gradient by the input, for vectors */
  backwardSequence(sequence: BackwardArguments): number;
  crossEntropyScratch(shape: CrossEntropyShape): number;
  /** @returns the offset of the panels of the gradient by the input, if wanted */
  crossEntropy(decoder: CrossEntropyArguments): number;
  /** @returns the gradients' norm, as the other steps do */
  adamStep(step: AdamArguments): number;
  sgdStep(step: SgdArguments): number;
  rmsPropStep(step: RmsPropArguments): number;
  writeMask(mask: MaskSource & { readonly mask: Float32Array; readonly count: number }): void;
  openStreams(model: StreamsArguments): StreamsHandle;
  /** @param logits `[streams, vocabulary]`: overwritten */
  stepStreams(streams: StreamsHandle, tokens: Int32Array, logits: Float32Array): void;
  /** Frees their memory; they can't be used any more. */
  closeStreams(streams: StreamsHandle): void;
}

const require = createRequire(import.meta.url);

/**
 * The addon: the one that was compiled here, or else the one in the package for this platform.
 *
 * @throws Error that says why there is none, and what helps
 */
export function loadAddon(): Addon {
  const compiled = `../../../native/build/${process.arch}/charnn.node`;
  const published = `@charnn/native-${process.platform}-${process.arch}`;
  const addon = tryToLoad(compiled) ?? tryToLoad(published);
  if (!addon) {
    throw new Error(
      "it was not compiled, and there is no package for this platform; with a C++ compiler, run: npm run native",
    );
  }
  const { interface: actual } = addon.describe();
  if (actual !== INTERFACE) {
    throw new Error("it was compiled from other sources than these; run: npm run native");
  }
  const asked = process.env.CHARNN_ISA;
  if (asked) addon.setInstructionSet({ name: asked });
  return addon;
}

function tryToLoad(path: string): Addon | undefined {
  try {
    return require(path) as Addon;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
