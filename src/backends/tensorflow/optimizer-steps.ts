import type {
  AdamStepAttributes,
  AdamStepInputs,
  MomentStepInputs,
  RmsPropStepAttributes,
  SgdStepAttributes,
  StepAttributes,
  StepInputs,
} from "../backend.js";
import { CLIP_EPSILON } from "../cpu/optimizer-steps.js";
import type { Id, Operations } from "./operations.js";

/** What a step gives: the norm before clipping, and new numbers, by the names of the inputs. */
export interface Stepped<Inputs> {
  readonly norm: Id;
  /** Undefined where the norm is not finite. */
  readonly changed?: Inputs;
}

/** The formulas stand in `cpu/optimizer-steps.ts`. */
export function adamStep(
  ops: Operations,
  arrays: AdamStepInputs<Id>,
  attributes: AdamStepAttributes,
): Stepped<AdamStepInputs<Id>> {
  const { learningRate, beta1, beta2, epsilon, step } = attributes;
  return clipThen(ops, arrays, attributes, (parameters, gradients) => {
    const firstMoment = mean(ops, arrays.firstMoment, gradients, beta1);
    const secondMoment = mean(ops, arrays.secondMoment, ops.square(gradients), beta2);
    const root = ops.multiply(ops.root(secondMoment), ops.number(1 / Math.sqrt(1 - beta2 ** step)));
    const change = ops.divide(firstMoment, ops.add(root, ops.number(epsilon)));
    const stepSize = learningRate / (1 - beta1 ** step);
    return { ...stepped(ops, parameters, change, stepSize), firstMoment, secondMoment };
  });
}

export function sgdStep(
  ops: Operations,
  arrays: MomentStepInputs<Id>,
  attributes: SgdStepAttributes,
): Stepped<MomentStepInputs<Id>> {
  const { learningRate, momentum } = attributes;
  return clipThen(ops, arrays, attributes, (parameters, gradients) => {
    const moment = ops.add(ops.multiply(arrays.moment, ops.number(momentum)), gradients);
    return { ...stepped(ops, parameters, moment, learningRate), moment };
  });
}

export function rmsPropStep(
  ops: Operations,
  arrays: MomentStepInputs<Id>,
  attributes: RmsPropStepAttributes,
): Stepped<MomentStepInputs<Id>> {
  const { learningRate, decay, epsilon } = attributes;
  return clipThen(ops, arrays, attributes, (parameters, gradients) => {
    const moment = mean(ops, arrays.moment, ops.square(gradients), decay);
    const change = ops.divide(gradients, ops.add(ops.root(moment), ops.number(epsilon)));
    return { ...stepped(ops, parameters, change, learningRate), moment };
  });
}

/** decay m + (1 - decay) x */
function mean(ops: Operations, m: Id, x: Id, decay: number): Id {
  return ops.add(ops.multiply(m, ops.number(decay)), ops.multiply(x, ops.number(1 - decay)));
}

function stepped(ops: Operations, parameters: Id, change: Id, size: number) {
  return { parameters: ops.subtract(parameters, ops.multiply(change, ops.number(size))) };
}

/**
 * Clips by the global norm and by value, decays the weights, updates, averages; nothing when the
 * norm is not finite.
 */
function clipThen<Inputs extends StepInputs<Id>>(
  ops: Operations,
  { parameters, gradients, average }: StepInputs<Id>,
  { learningRate, clipNorm, clipValue, weightDecay, averageDecay = 0 }: StepAttributes,
  update: (parameters: Id, gradients: Id) => Omit<Inputs, "gradients">,
): Stepped<Inputs> {
  const norm = ops.norm(gradients);
  const [value] = ops.values(norm);
  if (!Number.isFinite(value)) return { norm };
  const scale = clipNorm / (value + CLIP_EPSILON);
  const clips = clipNorm > 0 && scale < 1;
  const scaled = clips ? ops.multiply(gradients, ops.number(scale)) : gradients;
  const clipped = clipValue > 0 ? ops.limit(scaled, clipValue) : scaled;
  const decayed =
    weightDecay > 0
      ? ops.multiply(parameters, ops.number(1 - learningRate * weightDecay))
      : parameters;
  const updated = update(decayed, clipped);
  const averaged = average && { average: mean(ops, average, updated.parameters, averageDecay) };
  const changed = { ...updated, gradients: clipped, ...averaged } as Inputs;
  return { norm, changed };
}
