import { setTimeout as sleep } from "node:timers/promises";
import { KernelBackend } from "#src/backends/kernels/kernel-backend.js";
import { loadWasmKernels } from "#src/backends/wasm/module.js";
import { forwardArguments, sizesOf } from "./addon-calls.js";
import { Draw } from "./numbers.js";

/** The backend that loads everywhere, on one thread. */
export function wasmBackend(): KernelBackend {
  return new KernelBackend("wasm", loadWasmKernels(), 1);
}

/** Starts this many threads of the wasm backend, and waits until they take part in kernels. */
export async function startWasmThreads(threads: number): Promise<void> {
  const kernels = loadWasmKernels();
  kernels.useThreads(threads);
  kernels.forwardSequence(forwardArguments(kernels, sizesOf("gru", "vectors"), new Draw(1)));
  while (kernels.startedThreads() < threads) await sleep(1);
}
