import { describe } from "node:test";
import { KernelBackend } from "#src/backends/kernels/kernel-backend.js";
import type { Kernels } from "#src/backends/kernels/kernels.js";
import { type Addon, loadAddon, loadKernels } from "#src/backends/native/addon.js";

/** A suite of the native addon; skipped, with the reason and what helps, where it does not load. */
export function onTheAddon(
  title: string,
  define: (addon: Addon, backend: KernelBackend) => void,
): void {
  const { addon, skip } = load();
  describe(title, { skip }, () => {
    if (addon)
      define(addon, new KernelBackend("native", loadKernels(), addon.describe().physicalCores));
  });
}

function load(): { addon?: Addon; skip?: string } {
  try {
    return { addon: loadAddon() };
  } catch (error) {
    return { skip: `The native backend: ${(error as Error).message}; \`npm run native\` makes it` };
  }
}

/** An array that begins where scratch memory may. */
export function scratchMemory(addon: Addon | Kernels, length: number): Float32Array {
  if ("allocate" in addon) return addon.allocate(length);
  const array = new Float32Array(length + 16);
  const skipped = addon.align({ array, count: array.length });
  return array.subarray(skipped, skipped + length);
}
