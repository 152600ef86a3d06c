import { adamSizes } from "../adam-sizes.js";
import type {
  AdamArrays,
  AdamSettings,
  MomentArrays,
  RmsPropSettings,
  SgdSettings,
  StepArrays,
  StepSettings,
  Tensor,
} from "../backend.js";
import type { Id, Operations } from "./operations.js";
import { idOf, overwrite } from "./tensors.js";

/** As in PyTorch, so that gradients at the limit come out the same to the last digit. */
const CLIP_EPSILON = 1e-6;

/**
 * The formulas stand in `native/optimizer/steps.h`.
 *
 * @returns the gradients' norm before clipping
 */
export function takeAdamStep(
  ops: Operations,
  { firstMoment, secondMoment, ...arrays }: AdamArrays,
  settings: AdamSettings,
): number {
  const { beta1, beta2, epsilon, step } = settings;
  const { stepSize, gradientSize } = adamSizes(settings);
  return clipThen(ops, arrays, settings, (gradients) => {
    const m = updateMean(ops, firstMoment, gradients, beta1);
    const v = updateMean(ops, secondMoment, ops.square(gradients), beta2);
    const root = ops.multiply(ops.sqrt(v), ops.scalar(1 / Math.sqrt(1 - beta2 ** step)));
    const ofMoment = ops.multiply(m, ops.scalar(stepSize));
    const change =
      gradientSize > 0
        ? ops.add(ofMoment, ops.multiply(gradients, ops.scalar(gradientSize)))
        : ofMoment;
    return ops.divide(change, ops.add(root, ops.scalar(epsilon)));
  });
}

export function takeSgdStep(
  ops: Operations,
  { moment, ...arrays }: MomentArrays,
  settings: SgdSettings,
): number {
  const { learningRate, momentum } = settings;
  return clipThen(ops, arrays, settings, (gradients) => {
    const m = ops.add(ops.multiply(flat(ops, moment), ops.scalar(momentum)), gradients);
    overwrite(ops, moment, m);
    return ops.multiply(m, ops.scalar(learningRate));
  });
}

export function takeRmsPropStep(
  ops: Operations,
  { moment, ...arrays }: MomentArrays,
  settings: RmsPropSettings,
): number {
  const { learningRate, decay, epsilon } = settings;
  return clipThen(ops, arrays, settings, (gradients) => {
    const v = updateMean(ops, moment, ops.square(gradients), decay);
    const change = ops.divide(gradients, ops.add(ops.sqrt(v), ops.scalar(epsilon)));
    return ops.multiply(change, ops.scalar(learningRate));
  });
}

/**
 * Clips by the global norm and by value, decays the weights, updates, averages; nothing when the
 * norm is not finite.
 *
 * @param changeBy updates the moments, and gives what is to be subtracted from the parameters
 */
function clipThen(
  ops: Operations,
  arrays: StepArrays,
  { learningRate, clipNorm, clipValue, weightDecay, averageDecay = 0 }: StepSettings,
  changeBy: (gradients: Id) => Id,
): number {
  const gradients = flat(ops, arrays.gradients);
  const [norm] = ops.floats(ops.globalNorm(gradients));
  if (!Number.isFinite(norm)) return norm;
  const scale = clipNorm / (norm + CLIP_EPSILON);
  const clips = clipNorm > 0 && scale < 1;
  const scaled = clips ? ops.multiply(gradients, ops.scalar(scale)) : gradients;
  const clipped = clipValue > 0 ? ops.clipByValue(scaled, clipValue) : scaled;
  if (clipped !== gradients) overwrite(ops, arrays.gradients, clipped);
  const before = flat(ops, arrays.parameters);
  const decayed =
    weightDecay > 0 ? ops.multiply(before, ops.scalar(1 - learningRate * weightDecay)) : before;
  const parameters = ops.subtract(decayed, changeBy(clipped));
  overwrite(ops, arrays.parameters, parameters);
  if (arrays.average) updateMean(ops, arrays.average, parameters, averageDecay);
  return norm;
}

/** mean = decay mean + (1 - decay) x */
function updateMean(ops: Operations, mean: Tensor, x: Id, decay: number): Id {
  const old = ops.multiply(flat(ops, mean), ops.scalar(decay));
  const updated = ops.add(old, ops.multiply(x, ops.scalar(1 - decay)));
  overwrite(ops, mean, updated);
  return updated;
}

function flat(ops: Operations, tensor: Tensor): Id {
  return idOf(ops, tensor, [tensor.length]);
}
