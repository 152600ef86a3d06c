import { describe } from "node:test";
import type { Backend, Tensor } from "#src/backends/backend.js";
import { openBackend } from "#src/backends/select.js";
import { BACKEND_NAMES } from "#src/config/names.js";

/** Defines a suite for every backend; that of one that does not load is skipped, with the reason. */
export async function onEveryBackend(
  title: string,
  define: (backend: Backend) => void,
): Promise<void> {
  // All before the first suite, which begins to run as soon as anything is waited for.
  const opened = await Promise.allSettled(BACKEND_NAMES.map((name) => openBackend(name)));
  for (const [index, name] of BACKEND_NAMES.entries()) {
    const result = opened[index];
    const skip = result.status === "rejected" ? String(result.reason.message) : false;
    describe(`${title} on the ${name} backend`, { skip }, () => {
      if (result.status === "fulfilled") define(result.value);
    });
  }
}

/** The numbers of a tensor, a copy. */
export function numbersOf(tensor: Tensor): Float32Array {
  return tensor instanceof Float32Array ? tensor.slice() : tensor.read();
}
