import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { CharnnError } from "../../errors.js";
import { systemErrorCode } from "../../system-error-code.js";
import { BackendError, loaderReason } from "../backend-error.js";
import type { KernelFunctions, Kernels } from "../kernels/kernels.js";
import { isCutShort } from "./cut-file.js";
import type { MpiFunctions } from "./mpi-functions.js";

/** The one number that both sides must agree on; `native/addon/addon.cc` has the same. */
const INTERFACE = 12;

/** What this build and this processor have. */
interface AddonFacts {
  readonly interface: number;
  /** In use; the fastest that the processor has, unless another is asked for. */
  readonly instructionSet: string;
  /** All that this build and this processor have, the fastest first. */
  readonly instructionSets: readonly string[];
  readonly threads: number;
  /** On Linux, whose cores `src/processors.ts` counts, hardware threads. */
  readonly physicalCores: number;
}

/** The functions in `native/addon/`: the kernels, and everything else that needs an addon. */
export interface Addon extends KernelFunctions, MpiFunctions {
  describe(): AddonFacts;
  /** For all calls that follow in this process; sessions keep the threads that they were opened with. */
  setThreads(settings: { readonly threads: number }): void;
  setInstructionSet(settings: { readonly name: string }): void;
  /**
   * Asks the system for large pages where the array is large.
   *
   * @returns floats to leave out at its beginning so that the rest is aligned as scratch memory is
   */
  align(memory: { readonly array: Float32Array; readonly count: number }): number;
  /**
   * Locks an open file until it is closed or its process ends in any way. Several processes can hold the lock at
   * the same time if all of them share it.
   */
  lockFile(file: {
    /** A lock that is not shared needs a file that is open for writing. */
    readonly descriptor: number;
    readonly shared: boolean;
  }): "taken" | "held" | "unsupported";
  /**
   * Ends the process with the exit code 128 plus the number of a signal (SIGINT, SIGTERM or, with `hangUp`,
   * SIGHUP): at the first signal after the `letThrough` ones that Node still hears, or if the process has not
   * ended `mostMilliseconds` after the first. It does not wait for JavaScript. A signal that is let through
   * stops the kernels of sequences and of cross-entropy: they throw an error with the code `CHARNN_STOPPED`
   * until they are resumed.
   *
   * @returns a byte that is not 0 while kernels are to stop, for kernels in JavaScript; undefined where
   *   Node shares no memory with addons
   */
  guardSignals(how: {
    readonly letThrough: number;
    /** 0: no limit. */
    readonly mostMilliseconds: number;
    readonly hangUp: boolean;
    /** Whether standard error is a terminal whose cursor may be hidden then. */
    readonly restoreTerminal: boolean;
    /** Whether it also shows progress in a task bar. */
    readonly clearTaskbar: boolean;
  }): Uint8Array | undefined;
  /** Puts back the handlers that were there before. */
  releaseSignals(nothing: object): void;
  /** Lets kernels run again after a signal. */
  resumeKernels(nothing: object): void;
  /**
   * Leaves signals of the process to threads other than this one, and than those that it starts from then on. Node
   * and the guard hear them as before.
   */
  leaveSignals(nothing: object): void;
}

const require = createRequire(import.meta.url);

/** Where a clone has the addon's sources and what was compiled of them. */
const ROOT = new URL("../../../", import.meta.url);
const COMPILE =
  "With a C++ compiler, run: npm run native; without one: charnn doctor --install-compiler";
const PLATFORM = `${process.platform}-${process.arch}`;
/** Platforms for which there are packages, and with `-musl` for Linux without glibc. */
const PLATFORMS = [
  "linux-x64",
  "linux-arm64",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64",
  "win32-arm64",
];

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

/** Floats that scratch memory is aligned to. */
const ALIGNMENT = 16;

type NativeKernels = Kernels & Pick<Addon, "describe">;

let kernels: NativeKernels | undefined;

/**
 * The kernels of the addon, one for the process.
 *
 * @throws as {@link loadAddon} does
 */
export function loadKernels(): NativeKernels {
  const addon = loadAddon();
  kernels ??= kernelsOf(addon);
  return kernels;
}

function kernelsOf(addon: Addon): NativeKernels {
  let inUse = addon.describe().threads;
  return {
    ...addon,
    useThreads(threads) {
      if (threads !== inUse) addon.setThreads({ threads });
      inUse = threads;
    },
    allocate(length) {
      const array = new Float32Array(length + ALIGNMENT);
      const skipped = addon.align({ array, count: array.length });
      return array.subarray(skipped, skipped + length);
    },
    // The garbage collector does.
    free() {},
  };
}

type SystemCalls = Omit<Addon, keyof KernelFunctions>;

/** What the addon does beside its kernels; undefined where it does not load. */
export function systemCalls(): SystemCalls | undefined {
  try {
    return findAddon();
  } catch (error) {
    if (error instanceof BackendError) return undefined;
    throw error;
  }
}

/** The addon: the one that was compiled here, or else the one in the package for this platform. */
function findAddon(): Addon {
  const isClone = existsSync(new URL("scripts/build-native.js", ROOT));
  const again = isClone ? "Compile it again: npm run native" : "Install charnn again.";
  const addon = find(again);
  if (!addon) throw missing(isClone);
  if (interfaceOf(addon) !== INTERFACE) {
    throw new BackendError("it was made for another version of charnn", again);
  }
  return addon;
}

/** @returns undefined when there is none */
function find(cure: string): Addon | undefined {
  try {
    return findFor(PLATFORM, cure) ?? (isMusl() ? findFor(`${PLATFORM}-musl`, cure) : undefined);
  } catch (error) {
    // A clone may have compiled it for both of Linux's C libraries.
    const other = error instanceof BackendError && isMusl() && findFor(`${PLATFORM}-musl`, cure);
    if (other) return other;
    throw error;
  }
}

function findFor(platform: string, cure: string): Addon | undefined {
  const compiled = fileURLToPath(new URL(`native/build/${platform}/charnn.node`, ROOT));
  return load(compiled, cure) ?? load(`@charnn/native-${platform}`, cure);
}

/** Whether this is Linux with musl as its C library. The answer takes long: it is asked only where it matters. */
function isMusl(): boolean {
  if (process.platform !== "linux") return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
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
    const what =
      code === "ERR_DLOPEN_FAILED" ? "is damaged, or made for another system" : "can't be read";
    throw new BackendError(`its file ${what} (${loaderReason(cause)})`, cure, { cause });
  }
}

function missing(isClone: boolean): BackendError {
  if (!PLATFORMS.includes(PLATFORM)) {
    return new BackendError(`it has no kernels for ${PLATFORM} yet`);
  }
  if (isClone) return new BackendError("it was not compiled", COMPILE);
  const name = isMusl() ? `${PLATFORM}-musl` : PLATFORM;
  const why = `the package @charnn/native-${name} is not installed`;
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
