import type { AdamSettings, RmsPropSettings, SgdSettings, StepSettings } from "../backend.js";

/** Each `[parameters]`. */
interface Arrays {
  readonly parameters: Float32Array;
  readonly gradients: Float32Array;
  readonly average: Float32Array | undefined;
}

/** As in PyTorch, so that gradients at the limit come out the same to the last digit. */
export const CLIP_EPSILON = 1e-6;

/**
 * m  = m + (1 - beta1) (g - m)
 * v  = beta2 v + (1 - beta2) g^2
 * p -= learningRate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 *
 * @returns the gradients' norm before clipping, in single precision
 */
export function takeAdamStep(
  arrays: Arrays & { readonly firstMoment: Float32Array; readonly secondMoment: Float32Array },
  settings: AdamSettings,
): number {
  const { parameters, gradients, firstMoment: m, secondMoment: v } = arrays;
  const { learningRate, beta1, beta2, epsilon, step } = settings;
  const stepSize = learningRate / (1 - beta1 ** step);
  const correction = Math.sqrt(1 - beta2 ** step);
  return clipThen(arrays, settings, () => {
    for (let i = 0; i < parameters.length; i++) {
      const g = gradients[i];
      m[i] += (1 - beta1) * (g - m[i]);
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      parameters[i] -= (stepSize * m[i]) / (Math.sqrt(v[i]) / correction + epsilon);
    }
  });
}

/**
 * m  = momentum m + g
 * p -= learningRate * m
 *
 * @returns the gradients' norm before clipping, in single precision
 */
export function takeSgdStep(
  arrays: Arrays & { readonly moment: Float32Array },
  settings: SgdSettings,
): number {
  const { parameters, gradients, moment: m } = arrays;
  const { learningRate, momentum } = settings;
  return clipThen(arrays, settings, () => {
    for (let i = 0; i < parameters.length; i++) {
      m[i] = momentum * m[i] + gradients[i];
      parameters[i] -= learningRate * m[i];
    }
  });
}

/**
 * v  = decay v + (1 - decay) g^2
 * p -= learningRate * g / (sqrt(v) + epsilon)
 *
 * @returns the gradients' norm before clipping, in single precision
 */
export function takeRmsPropStep(
  arrays: Arrays & { readonly moment: Float32Array },
  settings: RmsPropSettings,
): number {
  const { parameters, gradients, moment: v } = arrays;
  const { learningRate, decay, epsilon } = settings;
  return clipThen(arrays, settings, () => {
    for (let i = 0; i < parameters.length; i++) {
      const g = gradients[i];
      v[i] = decay * v[i] + (1 - decay) * g * g;
      parameters[i] -= (learningRate * g) / (Math.sqrt(v[i]) + epsilon);
    }
  });
}

/**
 * Clips by the global norm and by value, decays the weights, updates, averages; nothing when the
 * norm is not finite.
 */
function clipThen(
  { parameters, gradients, average }: Arrays,
  { learningRate, clipNorm, clipValue, weightDecay, averageDecay = 0 }: StepSettings,
  update: () => void,
): number {
  let squares = 0;
  for (let i = 0; i < gradients.length; i++) squares += gradients[i] * gradients[i];
  const norm = Math.sqrt(squares);
  // What is infinite in single precision must have changed nothing.
  if (!Number.isFinite(Math.fround(norm))) return Math.fround(norm);
  const scale = clipNorm / (norm + CLIP_EPSILON);
  if (clipNorm > 0 && scale < 1) {
    for (let i = 0; i < gradients.length; i++) gradients[i] *= scale;
  }
  if (clipValue > 0) {
    for (let i = 0; i < gradients.length; i++) {
      gradients[i] = Math.max(Math.min(gradients[i], clipValue), -clipValue);
    }
  }
  if (weightDecay > 0) {
    const kept = 1 - learningRate * weightDecay;
    for (let i = 0; i < parameters.length; i++) parameters[i] *= kept;
  }
  update();
  if (average) {
    for (let i = 0; i < average.length; i++) {
      average[i] += (1 - averageDecay) * (parameters[i] - average[i]);
    }
  }
  return Math.fround(norm);
}
