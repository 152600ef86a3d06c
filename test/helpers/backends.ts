import { before, describe } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-core";
import { selectBackend } from "#src/backends/select.js";
import { BACKEND_NAMES, type BackendName } from "#src/config/names.js";

/** Runs a suite on every backend; the suite of one that does not load is skipped, with the reason. */
export async function onEveryBackend(
  title: string,
  define: (backend: BackendName) => void,
): Promise<void> {
  const skips = [];
  // All before the first suite, which begins to run as soon as anything is waited for.
  for (const name of BACKEND_NAMES) skips.push({ name, skip: await whyUnavailable(name) });
  for (const { name, skip } of skips) {
    describe(`${title} on the ${name} backend`, { skip }, () => {
      before(async () => {
        await selectBackend(name);
      });
      define(name);
    });
  }
}

async function whyUnavailable(name: BackendName): Promise<string | undefined> {
  try {
    await selectBackend(name);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A copy of a tensor's numbers. */
export function numbersOf(tensor: Tensor): Float32Array {
  // An int32 tensor gives an Int32Array, of which all that tests need is the same.
  return (tensor.dataSync() as Float32Array).slice();
}
