import type { TestContext } from "node:test";
import { KernelBackend } from "#src/backends/kernels/kernel-backend.js";
import { arrayOf } from "#src/backends/plain-arrays.js";
import type { TrainingEvent, TrainSettings } from "#src/index.js";
import { trained } from "./training.js";

/**
 * Puts a NaN into the gradient of the recurrent weights for the rest of a test, wherever `isBroken`
 * says so of a call, counted from 1. On native and wasm.
 */
export function breakGradients(t: TestContext, isBroken: (call: number) => boolean): void {
  const { rnnBackward } = KernelBackend.prototype;
  let calls = 0;
  t.mock.method(
    KernelBackend.prototype,
    "rnnBackward",
    function (this: KernelBackend, ...call: Parameters<typeof rnnBackward>) {
      const made = rnnBackward.apply(this, call);
      if (isBroken(++calls)) arrayOf(call[1].gradientWeightHh)[3] = Number.NaN;
      return made;
    },
  );
}

/**
 * Trains with gradients that are not finite in some of the steps.
 *
 * @param isBad of a step that this call takes, counted from 1
 */
export function trainedWithBadSteps(
  t: TestContext,
  isBad: (step: number) => boolean,
  settings: TrainSettings,
): Promise<TrainingEvent[]> {
  // What is tried before the start is no step.
  let step = 0;
  breakGradients(t, () => step > 0 && isBad(step));
  return trained(settings, ({ event }) => {
    if (event === "start" || event === "step") step++;
    return false;
  });
}
