/** What a step of each optimizer is: one number at a time, in PyTorch's formulas. */
import type { Vector } from "./cells.js";

/** How one parameter moves: what is taken from it, and its moments after the step. */
type Rule<Coefficients> = (
  gradient: number,
  moments: readonly number[],
  coefficients: Coefficients,
) => { change: number; moments: readonly number[] };

interface AdamCoefficients {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1. */
export const adam: Rule<AdamCoefficients> = (g, [m, v], coefficients) => {
  const { learningRate, beta1, beta2, epsilon, step } = coefficients;
  const first = beta1 * m + (1 - beta1) * g;
  const second = beta2 * v + (1 - beta2) * g ** 2;
  const firstUnbiased = first / (1 - beta1 ** step);
  const secondUnbiased = second / (1 - beta2 ** step);
  return {
    change: (learningRate * firstUnbiased) / (Math.sqrt(secondUnbiased) + epsilon),
    moments: [first, second],
  };
};

/** Dozat, "Incorporating Nesterov Momentum into Adam", 2016, algorithm 8, with a constant beta1. */
export const nadam: Rule<AdamCoefficients> = (g, [m, v], coefficients) => {
  const { learningRate, beta1, beta2, epsilon, step } = coefficients;
  const first = beta1 * m + (1 - beta1) * g;
  const second = beta2 * v + (1 - beta2) * g ** 2;
  const ahead =
    (beta1 * first) / (1 - beta1 ** (step + 1)) + ((1 - beta1) * g) / (1 - beta1 ** step);
  const secondUnbiased = second / (1 - beta2 ** step);
  return {
    change: (learningRate * ahead) / (Math.sqrt(secondUnbiased) + epsilon),
    moments: [first, second],
  };
};

interface SgdCoefficients {
  readonly learningRate: number;
  readonly momentum: number;
}

/**
 * Gradient descent with momentum: Sutskever et al., "On the Importance of Initialization and Momentum in
 * Deep Learning", 2013, section 2, equations 1 and 2, the learning rate outside the moment as in PyTorch.
 */
export const sgd: Rule<SgdCoefficients> = (g, [moment], { learningRate, momentum }) => {
  const next = momentum * moment + g;
  return { change: learningRate * next, moments: [next] };
};

interface RmsPropCoefficients {
  readonly learningRate: number;
  readonly decay: number;
  readonly epsilon: number;
}

/** Tieleman and Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012. */
export const rmsProp: Rule<RmsPropCoefficients> = (g, [moment], coefficients) => {
  const { learningRate, decay, epsilon } = coefficients;
  const next = decay * moment + (1 - decay) * g ** 2;
  return { change: (learningRate * g) / (Math.sqrt(next) + epsilon), moments: [next] };
};

/** What every optimizer's step has before and after its rule. */
interface StepSettings {
  /** The first ones, which only decay where their gradient is zero. */
  readonly sparse?: number | undefined;
  readonly sparseWeightDecay?: number | undefined;
  readonly learningRate: number;
  /** The largest norm of all gradients together; 0: any. */
  readonly clipNorm: number;
  /** The largest absolute value of a gradient, after `clipNorm`; 0: any. */
  readonly clipValue: number;
  readonly weightDecay: number;
  /** The fraction of the moving average that stays; the rest is the new parameters. */
  readonly averageDecay?: number | undefined;
  /** That of the sparse ones; the same if left out. */
  readonly sparseAverageDecay?: number | undefined;
}

/** What a step changes, each `[parameters]`. */
interface StepArrays {
  readonly parameters: Vector;
  readonly gradients: Vector;
  readonly moments: readonly Vector[];
  /** Exponential moving average of the parameters over the steps. */
  readonly average?: Vector | undefined;
}

/**
 * One step: clips the gradients by their norm (Pascanu et al., "On the Difficulty of Training Recurrent Neural
 * Networks", 2013, algorithm 1; 1e-6 as in PyTorch) and then by value, decays the weights apart from the
 * gradients (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2), changes the
 * parameters by the rule and averages them (Polyak and Juditsky, 1992). Sparse parameters without a gradient only decay,
 * as with PyTorch's SparseAdam. A norm that is not finite in single precision changes nothing.
 *
 * @returns the arrays after the step, and the norm before clipping
 */
export function optimizerStep<Settings extends StepSettings>(
  rule: Rule<Settings>,
  arrays: StepArrays,
  settings: Settings,
): StepArrays & { norm: number } {
  const { learningRate, clipNorm, clipValue, averageDecay = 0 } = settings;
  const { sparseAverageDecay = averageDecay } = settings;
  const { sparse = 0, sparseWeightDecay = 0, weightDecay } = settings;
  const norm = Math.sqrt(arrays.gradients.reduce((sum, g) => sum + g ** 2, 0));
  if (!Number.isFinite(Math.fround(norm))) return { ...arrays, norm };

  const factor = clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1;
  const max = clipValue > 0 ? clipValue : Number.POSITIVE_INFINITY;
  const gradients = arrays.gradients.map((g) => Math.max(-max, Math.min(max, g * factor)));
  const moments = arrays.moments.map((moment) => moment.slice());
  const parameters = arrays.parameters.map((parameter, i) => {
    const decay = learningRate * (i < sparse ? sparseWeightDecay : weightDecay) * parameter;
    if (i < sparse && arrays.gradients[i] === 0) return parameter - decay;
    const before = moments.map((moment) => moment[i]);
    const { change, moments: after } = rule(gradients[i], before, settings);
    for (const [k, moment] of after.entries()) moments[k][i] = moment;
    return parameter - decay - change;
  });
  const average = arrays.average?.map((a, i) => {
    const kept = i < sparse ? sparseAverageDecay : averageDecay;
    return kept * a + (1 - kept) * parameters[i];
  });
  return { parameters, gradients, moments, average, norm };
}
