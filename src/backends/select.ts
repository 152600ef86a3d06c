import { BACKEND_NAMES, type BackendChoice, type BackendName } from "../config/names.js";
import { CharnnError } from "../errors.js";
import { type DefaultThreads, defaultThreads } from "../processors.js";
import type { Backend, TensorFlowFacts } from "./backend.js";
import { BackendError } from "./backend-error.js";
import type { TensorFlowBackend } from "./tensorflow/tensorflow-backend.js";

/** A backend that does not load. */
interface PassedOver {
  readonly name: BackendName;
  /** The reason, and what helps where something does. */
  readonly why: string;
  readonly cure?: string | undefined;
  /** Nobody expects it here: it was never installed. */
  readonly isAbsent: boolean;
}

/** The backend that was taken, and why each faster one was not. */
export interface SelectedBackend {
  readonly backend: Backend;
  readonly passedOver: readonly PassedOver[];
}

/** What is reported of a selection. */
export interface SelectionReport {
  readonly name: BackendName;
  /** Threads that compute. */
  readonly threads: number;
  /** What makes it slower than it could be here, a sentence. */
  readonly warning?: string;
  readonly tensorflow?: TensorFlowFacts;
  readonly passedOver: readonly PassedOver[];
}

export function reportOf({ backend, passedOver }: SelectedBackend): SelectionReport {
  const { name, threads } = backend;
  const { warning, tensorflow } = backend.facts;
  return {
    name,
    threads,
    ...(warning !== undefined && { warning }),
    ...(tensorflow && { tensorflow }),
    passedOver,
  };
}

/** What the user should know of the choice: that it is slow, why, and what helps. */
export function backendWarnings(
  { backend: { name, threads, facts }, passedOver }: SelectedBackend,
  askedThreads: number | undefined,
): string[] {
  const warnings = passedOver
    .filter(({ isAbsent }) => !isAbsent)
    .map(
      ({ name: faster, why, cure }) =>
        `The ${faster} backend does not load: ${why}. ` +
        `Using the ${name} backend, which is several times slower.${cure ? ` ${cure}` : ""}`,
    );
  if (warnings.length === 0 && askedThreads !== undefined && askedThreads !== threads) {
    const uses = threads === 1 ? "one thread" : `${threads} threads`;
    warnings.push(`The ${name} backend uses ${uses}, not ${askedThreads}.`);
  }
  return facts.warning === undefined ? warnings : [...warnings, facts.warning];
}

/**
 * Opens a backend: the one asked for, or with `auto` the first that loads.
 *
 * @throws CharnnError `BACKEND_UNAVAILABLE` when the one asked for does not load.
 */
export async function selectBackend(
  asked: BackendChoice,
  threads?: number,
): Promise<SelectedBackend> {
  const passedOver: PassedOver[] = [];
  for (const name of namesOf(asked)) {
    try {
      return { backend: await openBackend(name, threads), passedOver };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      passedOver.push({ name, why: error.message, cure: error.cure, isAbsent: error.isAbsent });
    }
  }
  const [{ name, why, cure }] = passedOver;
  throw new CharnnError("BACKEND_UNAVAILABLE", `The ${name} backend does not load: ${why}.`, cure);
}

/** The backends that are tried, in turn. */
function namesOf(asked: BackendChoice): readonly BackendName[] {
  if (asked === "auto") return BACKEND_NAMES;
  return [asked === "cpu" ? "wasm" : asked];
}

/**
 * Opens a backend.
 *
 * @param threads to compute with; undefined: as {@link usualThreads} says
 * @throws BackendError when it does not load
 */
export function openBackend(name: BackendName, threads?: number): Promise<Backend> {
  return OPEN[name](threads);
}

const OPEN: Record<BackendName, (threads: number | undefined) => Promise<Backend>> = {
  native: openNative,
  wasm: openWasm,
  tensorflow: openTensorFlow,
};

/** How many threads backends use unless told otherwise, and why. */
export async function usualThreads(): Promise<DefaultThreads> {
  const { systemCalls } = await import("./native/addon.js");
  return defaultThreads(systemCalls()?.describe().physicalCores);
}

async function openNative(threads: number | undefined): Promise<Backend> {
  const { loadKernels } = await import("./native/addon.js");
  const kernels = loadKernels();
  const { KernelBackend } = await import("./kernels/kernel-backend.js");
  const { instructionSet, instructionSets } = kernels.describe();
  const facts = { instructionSet, instructionSets };
  return new KernelBackend("native", kernels, threads ?? (await usualThreads()).threads, facts);
}

async function openWasm(threads: number | undefined): Promise<Backend> {
  const { loadWasmKernels } = await import("./wasm/module.js");
  const kernels = loadWasmKernels();
  const { KernelBackend } = await import("./kernels/kernel-backend.js");
  const wanted = threads ?? (await usualThreads()).threads;
  return new KernelBackend("wasm", kernels, Math.min(wanted, kernels.mostThreads));
}

/** One for the process: TensorFlow's threads can't be changed, and trying cuDNN takes time. */
let tensorflow: TensorFlowBackend | undefined;

async function openTensorFlow(asked: number | undefined): Promise<Backend> {
  const { loadTensorFlow } = await import("./tensorflow/load.js");
  const { binding, threads } = loadTensorFlow(asked ?? (await usualThreads()).threads);
  const { TensorFlowBackend } = await import("./tensorflow/tensorflow-backend.js");
  tensorflow ??= new TensorFlowBackend(binding, threads);
  return tensorflow;
}
