import type { AdamSettings } from "./backend.js";

/** What the first moment and the gradient are multiplied by in a step, before both are scaled. */
export interface AdamSizes {
  readonly stepSize: number;
  /** 0 for Adam. */
  readonly gradientSize: number;
}

/**
 * Adam's step goes by the first moment alone (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015,
 * algorithm 1). NAdam's goes by what the moment will be after one more such gradient (Dozat, "Incorporating
 * Nesterov Momentum into Adam", 2016, algorithm 8, with a constant beta1).
 */
export function adamSizes({ learningRate, beta1, step, nesterov }: AdamSettings): AdamSizes {
  const unbiased = learningRate / (1 - beta1 ** step);
  if (!nesterov) return { stepSize: unbiased, gradientSize: 0 };
  return {
    stepSize: (learningRate * beta1) / (1 - beta1 ** (step + 1)),
    gradientSize: (1 - beta1) * unbiased,
  };
}
