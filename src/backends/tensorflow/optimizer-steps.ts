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
    const m = mean(ops, flat(ops, firstMoment), gradients, beta1);
    const v = mean(ops, flat(ops, secondMoment), ops.square(gradients), beta2);
    const root = ops.multiply(ops.sqrt(v), ops.scalar(1 / Math.sqrt(1 - beta2 ** step)));
    const ofMoment = ops.multiply(m, ops.scalar(stepSize));
    const change =
      gradientSize > 0
        ? ops.add(ofMoment, ops.multiply(gradients, ops.scalar(gradientSize)))
        : ofMoment;
    return {
      change: ops.divide(change, ops.add(root, ops.scalar(epsilon))),
      moments: [
        [firstMoment, m],
        [secondMoment, v],
      ],
    };
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
    return { change: ops.multiply(m, ops.scalar(learningRate)), moments: [[moment, m]] };
  });
}

export function takeRmsPropStep(
  ops: Operations,
  { moment, ...arrays }: MomentArrays,
  settings: RmsPropSettings,
): number {
  const { learningRate, decay, epsilon } = settings;
  return clipThen(ops, arrays, settings, (gradients) => {
    const v = mean(ops, flat(ops, moment), ops.square(gradients), decay);
    const direction = ops.divide(gradients, ops.add(ops.sqrt(v), ops.scalar(epsilon)));
    return { change: ops.multiply(direction, ops.scalar(learningRate)), moments: [[moment, v]] };
  });
}

interface Update {
  /** What is to be subtracted from the parameters. */
  readonly change: Id;
  readonly moments: readonly (readonly [Tensor, Id])[];
}

/**
 * Clips by the global norm and by value, decays the weights, updates, averages; nothing when the
 * norm is not finite.
 */
function clipThen(
  ops: Operations,
  arrays: StepArrays,
  settings: StepSettings,
  updateBy: (gradients: Id) => Update,
): number {
  const { clipNorm, clipValue } = settings;
  const gradients = flat(ops, arrays.gradients);
  const [norm] = ops.floats(ops.globalNorm(gradients));
  if (!Number.isFinite(norm)) return norm;
  const scale = clipNorm / (norm + CLIP_EPSILON);
  const clips = clipNorm > 0 && scale < 1;
  const scaled = clips ? ops.multiply(gradients, ops.scalar(scale)) : gradients;
  const clipped = clipValue > 0 ? ops.clipByValue(scaled, clipValue) : scaled;
  const { change, moments } = updateBy(clipped);
  const { sparse = 0 } = settings;
  const where = sparse > 0 ? changesWhere(ops, gradients, sparse) : undefined;
  const choose = (after: Id, before: Id) => (where ? ops.select(where, after, before) : after);
  for (const [moment, after] of moments) overwrite(ops, moment, choose(after, flat(ops, moment)));
  const decayed = decayedParameters(ops, flat(ops, arrays.parameters), settings);
  const parameters = choose(ops.subtract(decayed, change), decayed);
  overwrite(ops, arrays.parameters, parameters);
  if (arrays.average) {
    overwrite(ops, arrays.average, averageOf(ops, arrays.average, parameters, settings));
  }
  if (clipped !== gradients) overwrite(ops, arrays.gradients, clipped);
  return norm;
}

/** Which parameters change: those with a gradient, and all that are not sparse. */
function changesWhere(ops: Operations, gradients: Id, sparse: number): Id {
  const [first, others] = ops.splitV(gradients, [sparse, -1], 0);
  return ops.notEqual(ops.concat([first, ops.onesLike(others)], 0), ops.scalar(0));
}

function decayedParameters(
  ops: Operations,
  parameters: Id,
  { learningRate, weightDecay, sparse = 0, sparseWeightDecay = 0 }: StepSettings,
): Id {
  const decayed = (some: Id, rate: number) =>
    rate > 0 ? ops.multiply(some, ops.scalar(1 - learningRate * rate)) : some;
  if (sparse === 0) return decayed(parameters, weightDecay);
  const [first, others] = ops.splitV(parameters, [sparse, -1], 0);
  return ops.concat([decayed(first, sparseWeightDecay), decayed(others, weightDecay)], 0);
}

function averageOf(
  ops: Operations,
  old: Tensor,
  parameters: Id,
  { averageDecay = 0, sparseAverageDecay = averageDecay, sparse = 0 }: StepSettings,
): Id {
  if (sparse === 0) return mean(ops, flat(ops, old), parameters, averageDecay);
  const [oldFirst, oldOthers] = ops.splitV(flat(ops, old), [sparse, -1], 0);
  const [first, others] = ops.splitV(parameters, [sparse, -1], 0);
  const means = [
    mean(ops, oldFirst, first, sparseAverageDecay),
    mean(ops, oldOthers, others, averageDecay),
  ];
  return ops.concat(means, 0);
}

/** decay old + (1 - decay) x */
function mean(ops: Operations, old: Id, x: Id, decay: number): Id {
  const kept = ops.multiply(old, ops.scalar(decay));
  return ops.add(kept, ops.multiply(x, ops.scalar(1 - decay)));
}

function flat(ops: Operations, tensor: Tensor): Id {
  return idOf(ops, tensor, [tensor.length]);
}
