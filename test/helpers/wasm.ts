import { KernelBackend } from "#src/backends/kernels/kernel-backend.js";
import { loadWasmKernels } from "#src/backends/wasm/module.js";

/** The backend that loads everywhere. */
export function wasmBackend(): KernelBackend {
  return new KernelBackend("wasm", loadWasmKernels(), 1);
}
