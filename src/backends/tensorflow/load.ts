import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BackendError, loaderReason } from "../backend-error.js";
import { systemCalls } from "../native/addon.js";
import type { TensorFlowBinding } from "./binding.js";
import { tensorFlowFolder } from "./folder.js";

const require = createRequire(import.meta.url);

/** The one for graphics processors first: whoever has it took some trouble to install it. */
const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];

const INSTALL = "Run: charnn doctor --install-tensorflow";

/** TensorFlow's addon, and the threads that it was told to use. */
export interface LoadedTensorFlow {
  readonly binding: TensorFlowBinding;
  readonly threads: number;
}

/** What TensorFlow and NVIDIA's libraries read as they load. */
const VARIABLES = {
  // It prints all that is not an error.
  TF_CPP_MIN_LOG_LEVEL: "2",
  // On processors with AVX-512 it takes all of oneDNN's operations by itself, and says so before it
  // reads its log level. The one that is worth it is called by its name: see `onednn.ts`.
  TF_ENABLE_ONEDNN_OPTS: "0",
  // On graphics processors: only the memory that is needed, not all there is,
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
  // factors of products not rounded to 10 bits after the point,
  NVIDIA_TF32_OVERRIDE: "0",
  // and sums always in the same order, so that a resumed run gives the same bytes.
  CUBLAS_WORKSPACE_CONFIG: ":4096:8",
};

/** What TensorFlow reads at its first operation. On processors it would only be slower for it. */
const GPU_VARIABLES = { TF_DETERMINISTIC_OPS: "1" };

let loaded: LoadedTensorFlow | undefined;

/**
 * Loads the addon of tfjs-node, once: that which `charnn doctor --install-tensorflow` made, or else
 * that of the npm package where its installation succeeded.
 *
 * @param threads to compute with, which can't be changed afterwards
 * @throws BackendError that says why there is none, and what helps
 */
export function loadTensorFlow(threads: number): LoadedTensorFlow {
  loaded ??= { binding: loadFrom(addonFile(), threads), threads };
  return loaded;
}

/** Loads the addon in a file. */
function loadFrom(file: string, threads: number): TensorFlowBinding {
  // TensorFlow reads the number of threads only from here.
  Object.assign(process.env, {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: "1",
  });
  setDefaults(VARIABLES);
  // oneDNN's products, interrupted by a signal, write where they must not. TensorFlow's threads come from this one.
  systemCalls()?.leaveSignals({});
  try {
    const binding: TensorFlowBinding = require(file);
    if (binding.isUsingGpuDevice()) setDefaults(GPU_VARIABLES);
    return binding;
  } catch (cause) {
    const reason = loaderReason(cause as Error);
    throw new BackendError(`its addon can't be loaded (${reason})`, INSTALL, { cause });
  }
}

/** Sets variables that the user has not set. */
function setDefaults(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}

function addonFile(): string {
  const folders = [tensorFlowFolder(), ...PACKAGES.flatMap(installed)];
  const present = folders.filter(existsSync);
  for (const folder of present) {
    const file = addonIn(folder);
    if (file !== undefined) return file;
  }
  if (present.length === 0) {
    throw new BackendError("@tensorflow/tfjs-node is not installed", INSTALL, { isAbsent: true });
  }
  throw new BackendError("the addon of @tensorflow/tfjs-node was not built", INSTALL);
}

function installed(name: string): string[] {
  try {
    return [dirname(require.resolve(`${name}/package.json`))];
  } catch {
    return [];
  }
}

/** The addon in a folder of tfjs-node, for the newest Node-API that this Node.js has. */
function addonIn(folder: string): string | undefined {
  for (let version = Number(process.versions.napi); version > 0; version--) {
    const file = join(folder, "lib", `napi-v${version}`, "tfjs_binding.node");
    if (existsSync(file)) return file;
  }
  return undefined;
}
