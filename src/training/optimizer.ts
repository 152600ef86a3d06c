import { adamStep, rmsPropStep, sgdStep } from "../backends/backend.js";
import { scoped } from "../backends/scope.js";
import type { Tensor } from "../backends/tfjs.js";
import type { TrainingConfig } from "../checkpoint/run-config.js";
import type { ModelConfig } from "../model/config.js";
import { type ParameterArray, parameterArray } from "../model/parameters.js";
import { MOMENT_NAMES, type MomentName } from "./moments.js";

/** Adam's rates of decay (Kingma and Ba, 2015, algorithm 1). */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const SGD = { momentum: 0.9 };
/** As char-rnn and its followers have it, but with PyTorch's epsilon. */
const RMSPROP = { decay: 0.95, epsilon: 1e-8 };

/** An optimizer with what it remembers. */
export interface Optimizer {
  /** Its moments by name, each an array over all parameters; they start at zero. */
  readonly moments: ReadonlyMap<MomentName, ParameterArray>;
  /**
   * Takes one step, in place.
   *
   * @param step the number of this step, from 1
   * @returns the global norm of the gradients before clipping; not finite: nothing was changed
   */
  step(
    parameters: ParameterArray,
    gradients: ParameterArray,
    learningRate: number,
    step: number,
  ): number;
  dispose(): void;
}

export function createOptimizer(
  model: ModelConfig,
  {
    optimizer,
    clipNorm,
    weightDecay,
  }: Pick<TrainingConfig, "optimizer" | "clipNorm" | "weightDecay">,
): Optimizer {
  const moments = new Map(MOMENT_NAMES[optimizer].map((name) => [name, parameterArray(model)]));
  const moment = (name: MomentName) => (moments.get(name) as ParameterArray).flat;
  const takeStep = {
    adam: (arrays: Arrays, rate: Rate, step: number) =>
      adamStep(
        { ...arrays, firstMoment: moment("m"), secondMoment: moment("v") },
        { ...rate, ...ADAM, step },
      ),
    sgd: (arrays: Arrays, rate: Rate) =>
      sgdStep({ ...arrays, moment: moment("m") }, { ...rate, ...SGD }),
    rmsprop: (arrays: Arrays, rate: Rate) =>
      rmsPropStep({ ...arrays, moment: moment("v") }, { ...rate, ...RMSPROP }),
  }[optimizer];
  return {
    moments,
    step(parameters, gradients, learningRate, step) {
      return scoped(() => {
        const arrays = { parameters: parameters.flat, gradients: gradients.flat };
        const { norm } = takeStep(
          arrays,
          { learningRate, clipNorm, clipValue: 0, weightDecay },
          step,
        );
        return norm.dataSync()[0];
      });
    },
    dispose() {
      for (const array of moments.values()) array.dispose();
    },
  };
}

interface Arrays {
  parameters: Tensor;
  gradients: Tensor;
}

interface Rate {
  learningRate: number;
  clipNorm: number;
  clipValue: number;
  weightDecay: number;
}
