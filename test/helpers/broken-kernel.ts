import type { TestContext } from "node:test";
import {
  getBackend,
  getKernel,
  type KernelConfig,
  registerKernel,
  type Tensor,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { selectBackend } from "#src/backends/select.js";

/**
 * Puts a NaN into the gradient of the recurrent weights for the rest of a test, wherever `isBroken`
 * says so of a call, counted from 1. On the cpu backend.
 */
export async function breakGradients(
  t: TestContext,
  isBroken: (call: number) => boolean,
): Promise<void> {
  await selectBackend("cpu");
  const backendName = getBackend();
  const sound = getKernel("RnnSequenceGrad", backendName) as KernelConfig;
  let calls = 0;
  replace({
    ...sound,
    kernelFunc: (parameters) => {
      const outputs = sound.kernelFunc(parameters);
      const { gradientWeightHh } = parameters.inputs as Record<string, Tensor>;
      if (isBroken(++calls)) gradientWeightHh.dataSync<"float32">()[3] = Number.NaN;
      return outputs;
    },
  });
  t.after(() => replace(sound));
}

function replace(kernel: KernelConfig): void {
  unregisterKernel(kernel.kernelName, kernel.backendName);
  registerKernel(kernel);
}
