import { availableParallelism } from "node:os";
import { BACKEND_NAMES, type BackendName } from "../config/names.js";
import { CharnnError } from "../errors.js";
import { BackendError } from "./backend-error.js";
import { registerEngine } from "./engine.js";
import type { TensorFlowBackend, TensorFlowFacts } from "./tensorflow/tensorflow-backend.js";
import { backend, registerBackend, setBackend } from "./tfjs.js";

/** A backend that does not load. */
interface PassedOver {
  readonly name: BackendName;
  /** The reason, and what helps where something does. */
  readonly why: string;
  readonly cure?: string | undefined;
  /** Nobody expects it here: it was never installed. */
  readonly isAbsent: boolean;
}

/** A backend that was made the active one. */
interface OpenedBackend {
  /** Threads that compute. */
  readonly threads: number;
  /** What makes it slower than it could be here, a sentence. */
  readonly warning?: string | undefined;
  readonly tensorflow?: TensorFlowFacts;
}

/** The backend that was taken, and why each faster one was not. */
export interface SelectedBackend extends OpenedBackend {
  readonly name: BackendName;
  readonly passedOver: readonly PassedOver[];
}

/** What the user should know of the choice: that it is slow, why, and what helps. */
export function backendWarnings(
  { name, threads, warning, passedOver }: SelectedBackend,
  askedThreads: number | undefined,
): string[] {
  const warnings = passedOver
    .filter(({ isAbsent }) => !isAbsent)
    .map(
      ({ name: faster, why, cure }) =>
        `The ${faster} backend does not load: ${why}. ` +
        `The ${name} backend computes, many times slower.${cure ? ` ${cure}` : ""}`,
    );
  if (warnings.length === 0 && askedThreads !== undefined && askedThreads !== threads) {
    const computes = `computes with ${threads === 1 ? "one thread" : `${threads} threads`}`;
    warnings.push(`The ${name} backend ${computes}, not ${askedThreads}.`);
  }
  return warning === undefined ? warnings : [...warnings, warning];
}

/**
 * Makes a backend the active one: the one asked for, or with `auto` the first that loads.
 *
 * @throws CharnnError `BACKEND_UNAVAILABLE` when the one asked for does not load.
 */
export async function selectBackend(
  asked: BackendName | "auto",
  threads?: number,
): Promise<SelectedBackend> {
  const passedOver: PassedOver[] = [];
  for (const name of asked === "auto" ? BACKEND_NAMES : [asked]) {
    try {
      return { name, ...(await openBackend(name, threads)), passedOver };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      passedOver.push({ name, why: error.message, cure: error.cure, isAbsent: error.isAbsent });
    }
  }
  const [{ name, why, cure }] = passedOver;
  throw new CharnnError("BACKEND_UNAVAILABLE", `The ${name} backend does not load: ${why}.`, cure);
}

/**
 * Makes a backend the active one.
 *
 * @param threads to compute with; undefined: as many as the processor has cores for this process
 * @throws BackendError when it does not load
 */
export function openBackend(name: BackendName, threads?: number): Promise<OpenedBackend> {
  return OPEN[name](threads);
}

const OPEN: Record<BackendName, (threads: number | undefined) => Promise<OpenedBackend>> = {
  native: openNative,
  tensorflow: openTensorFlow,
  cpu: openCpu,
};

const registered = new Set<BackendName>();

/** Registers a backend where that was not done. What that needs is loaded before, as others may open it meanwhile. */
function registerOnce(name: BackendName, register: () => void): void {
  if (registered.has(name)) return;
  register();
  registered.add(name);
}

async function openNative(threads: number | undefined): Promise<OpenedBackend> {
  const { loadAddon } = await import("./native/addon.js");
  const addon = loadAddon();
  // Its kernels are those that `native` does not have itself.
  await import("./tfjs-cpu.js");
  const { registerNativeKernels } = await import("./native/kernels.js");
  const { NativeBackend } = await import("./native/native-backend.js");
  const { openNativeStreams } = await import("./native/streams.js");
  registerOnce("native", () => {
    registerNativeKernels();
    registerBackend("native", () => new NativeBackend(addon));
    registerEngine("native", {
      openStreams: (model, streams) => openNativeStreams(addon, model, streams),
    });
  });
  if (!(await setBackend("native"))) throw new BackendError("it does not start");
  const cores = Math.min(addon.describe().physicalCores, availableParallelism());
  addon.setThreads({ threads: threads ?? cores });
  return { threads: addon.describe().threads };
}

async function openTensorFlow(asked = availableParallelism()): Promise<OpenedBackend> {
  const { loadTensorFlow } = await import("./tensorflow/load.js");
  const { binding, threads } = loadTensorFlow(asked);
  const { registerTensorFlowKernels } = await import("./tensorflow/kernels.js");
  const { TensorFlowBackend } = await import("./tensorflow/tensorflow-backend.js");
  const { openTensorFlowStreams } = await import("./tensorflow/streams.js");
  registerOnce("tensorflow", () => {
    registerTensorFlowKernels();
    const own = new TensorFlowBackend(binding);
    registerBackend("tensorflow", () => own);
    registerEngine("tensorflow", {
      openStreams: (model, streams) => openTensorFlowStreams(own, model, streams),
      sharing: own,
    });
  });
  if (!(await setBackend("tensorflow"))) throw new BackendError("it does not start");
  const own = backend() as unknown as TensorFlowBackend;
  const { fault } = own.cudnn;
  const warning =
    fault && `cuDNN's layers can't be used: ${fault}. Others compute, several times slower.`;
  return { threads, warning, tensorflow: own.describe() };
}

async function openCpu(): Promise<OpenedBackend> {
  await import("./tfjs-cpu.js");
  const { registerReferenceKernels } = await import("./cpu/kernels.js");
  const { openReferenceStreams } = await import("./cpu/streams.js");
  registerOnce("cpu", () => {
    registerReferenceKernels("cpu");
    registerEngine("cpu", { openStreams: openReferenceStreams });
  });
  if (!(await setBackend("cpu"))) throw new BackendError("it does not start");
  // Off: tfjs's advice, printed at the first tensor, to install another backend.
  Object.assign(backend(), { firstUse: false });
  return { threads: 1 };
}
