import { describe } from "node:test";
import type { Backend, Tensor } from "#src/backends/backend.js";
import { openBackend } from "#src/backends/select.js";
import { BACKEND_NAMES, type BackendName } from "#src/config/names.js";

/** Every backend, or the reason why it does not load. */
export async function openBackends(): Promise<[BackendName, Backend | string][]> {
  const opened = await Promise.allSettled(BACKEND_NAMES.map((name) => openBackend(name)));
  return opened.map((result, index) => [
    BACKEND_NAMES[index],
    result.status === "fulfilled" ? result.value : String(result.reason.message),
  ]);
}

/** Defines a suite for every backend; that of one that does not load is skipped, with the reason. */
export async function onEveryBackend(
  title: string,
  define: (backend: Backend) => void,
): Promise<void> {
  // All before the first suite, which begins to run as soon as anything is waited for.
  for (const [name, backend] of await openBackends()) {
    const skip = typeof backend === "string" && backend;
    describe(`${title} on the ${name} backend`, { skip }, () => {
      if (typeof backend !== "string") define(backend);
    });
  }
}

/** The numbers of a tensor, a copy. */
export function numbersOf(tensor: Tensor): Float32Array {
  return tensor instanceof Float32Array ? tensor.slice() : tensor.read();
}
