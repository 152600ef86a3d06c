import { backend, registerBackend, setBackend } from "@tensorflow/tfjs-core";
import { BACKEND_NAMES, type BackendName } from "../defaults.js";
import { CharnnError } from "../errors.js";

/** The backend that was taken, and why each faster one was not. */
export interface SelectedBackend {
  readonly name: BackendName;
  readonly passedOver: readonly { name: BackendName; why: string }[];
}

/** Makes a backend ready and active; throws when it can't be. */
const OPEN: Readonly<Record<BackendName, () => Promise<void>>> = {
  native: openNative,
  cpu: openCpu,
};

/**
 * Makes a backend the active one: the one asked for, or with `auto` the first that loads.
 *
 * @throws CharnnError `BACKEND_UNAVAILABLE` when the one asked for does not load.
 */
export async function selectBackend(asked: BackendName | "auto"): Promise<SelectedBackend> {
  const passedOver: { name: BackendName; why: string }[] = [];
  for (const name of asked === "auto" ? BACKEND_NAMES : [asked]) {
    try {
      await OPEN[name]();
      return { name, passedOver };
    } catch (error) {
      passedOver.push({ name, why: error instanceof Error ? error.message : String(error) });
    }
  }
  const reasons = passedOver.map(({ name, why }) => `${name}: ${why}`).join("; ");
  throw new CharnnError("BACKEND_UNAVAILABLE", `No backend could be loaded (${reasons}).`);
}

let nativeIsRegistered = false;

async function openNative(): Promise<void> {
  const { loadAddon } = await import("./native/addon.js");
  const addon = loadAddon();
  if (!nativeIsRegistered) {
    // Its kernels are the ones that `native` takes over.
    await import("@tensorflow/tfjs-backend-cpu");
    const { registerNativeKernels } = await import("./native/kernels.js");
    const { NativeBackend } = await import("./native/native-backend.js");
    registerNativeKernels();
    registerBackend("native", () => new NativeBackend(addon));
    nativeIsRegistered = true;
  }
  if (!(await setBackend("native"))) throw new Error("it does not start");
}

let cpuKernelsRegistered = false;

async function openCpu(): Promise<void> {
  await import("@tensorflow/tfjs-backend-cpu");
  if (!cpuKernelsRegistered) {
    const { registerReferenceKernels } = await import("./reference/kernels.js");
    registerReferenceKernels("cpu");
    cpuKernelsRegistered = true;
  }
  if (!(await setBackend("cpu"))) throw new Error("it does not start");
  // Off: tfjs's advice, printed at the first tensor, to install another backend.
  Object.assign(backend(), { firstUse: false });
}
