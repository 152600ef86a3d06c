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
import type { TrainingEvent, TrainSettings } from "#src/index.js";
import { trained } from "./training.js";

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

/**
 * Trains with gradients that are not finite in some of the steps.
 *
 * @param isBad of a step that this call takes, counted from 1
 */
export async function trainedWithBadSteps(
  t: TestContext,
  isBad: (step: number) => boolean,
  settings: TrainSettings,
): Promise<TrainingEvent[]> {
  // What is tried before the start is no step.
  let step = 0;
  await breakGradients(t, () => step > 0 && isBad(step));
  return trained(settings, ({ event }) => {
    if (event === "start" || event === "step") step++;
    return false;
  });
}
