import type { AdamSettings } from "./backend.js";

/** The factors of the first moment and of the gradient in a step, before the division by the second moment's root. */
export interface AdamSizes {
  readonly stepSize: number;
  /** 0 for Adam. */
  readonly gradientSize: number;
}

/**
 * Adam's step goes by the first moment alone (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015,
 * algorithm 1). NAdam adds the gradient once more, as Nesterov's momentum does (Dozat, "Incorporating Nesterov
 * Momentum into Adam", 2016, algorithm 8, with a constant beta1).
 */
export function adamSizes({ learningRate, beta1, step, nesterov }: AdamSettings): AdamSizes {
  const unbiased = learningRate / (1 - beta1 ** step);
  if (!nesterov) return { stepSize: unbiased, gradientSize: 0 };
  return {
    stepSize: (learningRate * beta1) / (1 - beta1 ** (step + 1)),
    gradientSize: (1 - beta1) * unbiased,
  };
}
