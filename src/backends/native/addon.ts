import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { CellName } from "../../config/cells.js";
import { CharnnError, systemErrorCode } from "../../errors.js";
import { BackendError } from "../backend-error.js";
import { isCutShort } from "./cut-file.js";

/** The one number that both sides must agree on; `native/addon/addon.cc` has the same. */
const INTERFACE = 7;

/** A matrix in panels of sixteen columns (see `native/linalg/panels.h`), somewhere in an array. */
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

interface SequenceArguments extends SequenceShape {
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

interface CrossEntropyShape {
  readonly rows: number;
  readonly hidden: number;
  readonly vocabulary: number;
  /** Rows of a step, and of the mask. */
  readonly lanes: number;
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
  readonly gradientWeight?: Float32Array;
  readonly gradientBias?: Float32Array;
}

interface StepArguments {
  readonly count: number;
  readonly parameters: Float32Array;
  readonly gradients: Float32Array;
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly clipValue: number;
  readonly weightDecay: number;
  readonly average?: Float32Array;
  /** With `average` only. */
  readonly averageDecay?: number;
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

interface AddonFacts {
  readonly interface: number;
  /** In use; the fastest that the processor has, unless another is asked for. */
  readonly instructionSet: string;
  /** All that this build and this processor have, the fastest first. */
  readonly instructionSets: readonly string[];
  readonly threads: number;
  readonly physicalCores: number;
}

/**
 * The functions in `native/addon/`. Each checks all that it is given and throws a TypeError for
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
  /**
   * Locks an open file until it is closed, or its process ends however it ends. Others may have it at
   * the same time where all that have it share it.
   */
  lockFile(file: {
    /** For a lock that is not shared it must be open for writing. */
    readonly descriptor: number;
    readonly shared: boolean;
  }): "taken" | "held" | "unsupported";
  /**
   * Ends the process with 128 and the number of a signal, SIGINT, SIGTERM or with `hangUp` SIGHUP, that
   * comes after as many as are let through to Node, or where it has not ended `mostMilliseconds` after the
   * first. It does not wait for JavaScript. A signal that is let through stops the kernels of sequences
   * and of cross-entropy: they throw an error with the code `CHARNN_STOPPED` until they are resumed.
   *
   * @returns a byte that is not 0 while kernels are to stop, for kernels in JavaScript; undefined where
   *   Node shares no memory with addons
   */
  guardSignals(how: {
    readonly letThrough: number;
    /** 0: any time. */
    readonly mostMilliseconds: number;
    readonly hangUp: boolean;
    /** Whether standard error is a terminal whose cursor may be hidden then. */
    readonly restoreTerminal: boolean;
  }): Uint8Array | undefined;
  /** Puts back the handlers that were there before. */
  releaseSignals(nothing: object): void;
  /** Lets kernels run again after a signal. */
  resumeKernels(nothing: object): void;
  openStreams(model: StreamsArguments): StreamsHandle;
  /** @param logits `[streams, vocabulary]`: overwritten */
  stepStreams(streams: StreamsHandle, tokens: Int32Array, logits: Float32Array): void;
  /** Frees their memory; they can't be used any more. */
  closeStreams(streams: StreamsHandle): void;
}

const require = createRequire(import.meta.url);

/** Where a clone has the addon's sources and what was compiled of them. */
const ROOT = new URL("../../../", import.meta.url);
const COMPILE =
  "With a C++ compiler (apt-get install g++, or xcode-select --install), run: npm run native";
/** Platforms for which there are packages. */
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

/**
 * Loads the addon and selects the instruction set that CHARNN_ISA names, or the fastest.
 *
 * @throws BackendError that says why there is none, and what helps
 * @throws CharnnError `INVALID_SETTING` for an instruction set in CHARNN_ISA that is not there
 */
export function loadAddon(): Addon {
  const addon = findAddon();
  useInstructionSet(addon, process.env.CHARNN_ISA);
  return addon;
}

/** What the addon does beside its kernels; undefined where it does not load. */
export function systemCalls():
  | Pick<Addon, "lockFile" | "guardSignals" | "releaseSignals" | "resumeKernels">
  | undefined {
  try {
    return findAddon();
  } catch (error) {
    if (error instanceof BackendError) return undefined;
    throw error;
  }
}

/** The addon: the one that was compiled here, or else the one in the package for this platform. */
function findAddon(): Addon {
  const platform = `${process.platform}-${process.arch}`;
  const compiled = fileURLToPath(new URL(`native/build/${process.arch}/charnn.node`, ROOT));
  const isClone = existsSync(new URL("scripts/build-native.js", ROOT));
  const again = isClone ? "Compile it anew: npm run native" : "Install charnn again.";
  const addon = load(compiled, again) ?? load(`@charnn/native-${platform}`, again);
  if (!addon) throw missing(platform, isClone);
  if (interfaceOf(addon) !== INTERFACE) {
    throw new BackendError("it was made for another version of charnn", again);
  }
  return addon;
}

/** @returns undefined when there is no such file or package */
function load(path: string, cure: string): Addon | undefined {
  try {
    const file = require.resolve(path);
    if (isCutShort(file)) throw new BackendError(`its end is missing: ${file}`, cure);
    return require(file);
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === "MODULE_NOT_FOUND") return undefined;
    if (code === undefined || !(cause instanceof Error)) throw cause;
    // The system's linker may say more in lines that follow.
    const [reason] = cause.message.split("\n");
    const what =
      code === "ERR_DLOPEN_FAILED" ? "is damaged, or made for another system" : "can't be read";
    throw new BackendError(`its file ${what} (${reason.replace(/\.$/, "")})`, cure, { cause });
  }
}

function missing(platform: string, isClone: boolean): BackendError {
  if (!PLATFORMS.includes(platform)) {
    return new BackendError(`it has no kernels for ${platform} yet`);
  }
  if (isClone) return new BackendError("it was not compiled", COMPILE);
  const why = `the package @charnn/native-${platform} is not installed`;
  return new BackendError(why, "Install charnn again with --include=optional.");
}

function interfaceOf(addon: Partial<Addon>): number | undefined {
  return addon.describe?.().interface;
}

function useInstructionSet(addon: Addon, asked: string | undefined): void {
  if (!asked) return;
  const { instructionSets } = addon.describe();
  if (!instructionSets.includes(asked)) {
    throw new CharnnError(
      "INVALID_SETTING",
      `CHARNN_ISA names an instruction set, not ${JSON.stringify(asked)}.`,
      `There are ${instructionSets.join(", ")} on this processor.`,
    );
  }
  addon.setInstructionSet({ name: asked });
}
