/**
 * The contract of a backend: the few kernels in which a character-level RNN spends its time. A
 * backend registers them with tfjs-core under their names; everything else it has comes from there.
 * What each returns, to within rounding, is what the reference in `cpu/` returns; the
 * conformance tests hold every backend to it.
 *
 * Shapes, in row-major order: `time` steps of `batch` lanes; `input`, `hidden` and `vocabulary` are
 * sizes; `gates` is the number of a cell's gates times the hidden size. Weights have PyTorch's
 * shapes and gate order (see `config/cells.ts`).
 *
 * Arguments called `gradient...` are where a gradient goes: kernels overwrite them in place and
 * return them. Optimizer steps update their arrays in place and return them too.
 */
import type { CellName } from "../config/cells.js";
import {
  engine,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorMap,
  registerKernel,
  type Tensor,
  type TensorInfo,
} from "./tfjs.js";
import type { Workspace } from "./workspace.js";

/** The names under which a backend registers them. */
type KernelName =
  | "RnnSequence"
  | "RnnSequenceGrad"
  | "LinearCrossEntropy"
  | "DropoutMask"
  | "AdamStep"
  | "SgdStep"
  | "RmsPropStep";

export interface RnnSequenceInputs<T> {
  /** Tokens, int32 `[time, batch]`, or vectors, float32 `[time, batch, input]`. */
  input: T;
  /** `[vocabulary, input]`, with tokens only. Without it tokens go in one-hot. */
  embedding?: T;
  /**
   * With vectors `[batch, input]`: multiplies those of every step. With tokens `[masks, input]`:
   * multiplies their vectors, one-hot or from the embedding, those of lane b by row b mod masks; the
   * fewer masks there are, the fewer products are to be made.
   */
  inputMask?: T;
  /** `[batch, hidden]`: the state before the first step. */
  hidden: T;
  /** `[batch, hidden]`: multiplies what the recurrent weights see of the state, at every step. */
  stateMask?: T;
  /** `[batch, hidden]`: the cell state before the first step, for an LSTM. */
  cellState?: T;
  /** `[gates, input]` */
  weightIh: T;
  /** `[gates, hidden]` */
  weightHh: T;
  /** `[gates, hidden]`: multiplies the recurrent weights. */
  weightMask?: T;
  /** `[gates]` */
  biasIh: T;
  /** `[gates]` */
  biasHh: T;
}

export interface RnnSequenceOutputs<T> {
  /** `[time, batch, hidden]`; lives in the workspace until the next call with it. */
  output: T;
  /** `[batch, hidden]`: the state after the last step; a value of its own. */
  hidden: T;
  cellState?: T;
}

/** The arguments of the forward call, which must be the last one with this workspace, and: */
export interface RnnSequenceGradInputs<T> extends RnnSequenceInputs<T> {
  /** `[time, batch, hidden]`: of the loss by the outputs. The final state has none: truncated. */
  gradientOutput: T;
  gradientWeightIh: T;
  gradientWeightHh: T;
  gradientBiasIh: T;
  gradientBiasHh: T;
  gradientEmbedding?: T;
}

export interface RnnSequenceGradOutputs<T> {
  /** `[time, batch, input]`, for vectors only; lives in the workspace until the next call. */
  gradientInput?: T;
  /** `[batch, hidden]`: by the state before the first step. */
  gradientHidden: T;
  gradientCellState?: T;
  gradientWeightIh: T;
  gradientWeightHh: T;
  gradientBiasIh: T;
  gradientBiasHh: T;
  gradientEmbedding?: T;
}

export interface RnnSequenceAttributes {
  cell: CellName;
  workspace: Workspace;
}

/**
 * One recurrent layer over a sequence.
 *
 * The workspace keeps what {@link rnnSequenceGrad} needs.
 */
export function rnnSequence(
  inputs: RnnSequenceInputs<Tensor>,
  attributes: RnnSequenceAttributes,
): RnnSequenceOutputs<Tensor> {
  const [output, hidden, cellState] = run("RnnSequence", inputs, attributes);
  return { output, hidden, cellState };
}

/** Back through time over the sequence of the last {@link rnnSequence} with this workspace. */
export function rnnSequenceGrad(
  inputs: RnnSequenceGradInputs<Tensor>,
  attributes: RnnSequenceAttributes,
): RnnSequenceGradOutputs<Tensor> {
  const outputs = run("RnnSequenceGrad", inputs, attributes);
  const [gradientWeightIh, gradientWeightHh, gradientBiasIh, gradientBiasHh] = outputs;
  const rest = outputs.slice(4);
  return {
    gradientWeightIh,
    gradientWeightHh,
    gradientBiasIh,
    gradientBiasHh,
    gradientHidden: rest.shift() as Tensor,
    gradientCellState: inputs.cellState && rest.shift(),
    gradientEmbedding: inputs.embedding && rest.shift(),
    gradientInput: rest.shift(),
  };
}

export interface LinearCrossEntropyInputs<T> {
  /** `[time, batch, hidden]` */
  input: T;
  /** `[batch, hidden]`: multiplies the input of every step. */
  inputMask?: T;
  /** `[vocabulary, hidden]` */
  weight: T;
  /** `[vocabulary]` */
  bias: T;
  /** int32 `[time, batch]`; below 0 means that this place is neither learned nor scored. */
  targets: T;
  /** With both of these the gradients are wanted too. */
  gradientWeight?: T;
  gradientBias?: T;
}

export interface LinearCrossEntropyOutputs<T> {
  /** `[time, batch]`, nats: minus the log of the target's probability; 0 where there is no target. */
  losses: T;
  /** int32 `[time, batch]`: the most likely token, the first of equals. */
  predictions: T;
  /**
   * int32 `[time, batch]`, without gradients only: how many tokens are likelier than the target, or as
   * likely and before it; 0 where there is no target, and undefined where one of the logits is NaN.
   */
  ranks?: T;
  /** `[time, batch, hidden]`; lives in the workspace until the next call with it. */
  gradientInput?: T;
  gradientWeight?: T;
  gradientBias?: T;
}

/**
 * The decoder: logits, softmax and cross-entropy, and the gradients of the mean loss over all
 * places with a target.
 */
export function linearCrossEntropy(
  inputs: LinearCrossEntropyInputs<Tensor>,
  attributes: { workspace: Workspace },
): LinearCrossEntropyOutputs<Tensor> {
  const [losses, predictions, ...rest] = run("LinearCrossEntropy", inputs, attributes);
  if (!inputs.gradientWeight || !inputs.gradientBias)
    return { losses, predictions, ranks: rest[0] };
  const [gradientInput, gradientWeight, gradientBias] = rest;
  return { losses, predictions, gradientInput, gradientWeight, gradientBias };
}

/** Element i is kept when word i of the Philox stream `key` is at or above rate * 2^32. */
export interface DropoutMaskAttributes {
  shape: readonly number[];
  /** Above 0, below 1. */
  rate: number;
  key: readonly [number, number];
}

/** Zeros with probability `rate`, elsewhere 1 / (1 - rate); the same bits from every backend. */
export function dropoutMask(attributes: DropoutMaskAttributes): Tensor {
  return run("DropoutMask", {}, attributes)[0];
}

/** What every optimizer step does with the gradients before it uses them. */
export interface StepAttributes {
  learningRate: number;
  /** The largest global norm of the gradients, which are scaled down to it; 0: any. */
  clipNorm: number;
  /** The largest size of each gradient, which is cut off at it after `clipNorm`; 0: any. */
  clipValue: number;
  /** Decoupled: each step takes learningRate * weightDecay of every parameter away. */
  weightDecay: number;
  /** With an average: the share of it that stays at this step; the rest is the new parameters. */
  averageDecay?: number;
}

export interface StepInputs<T> {
  /** `[parameters]` */
  parameters: T;
  /** `[parameters]`; changed in place where they are clipped. */
  gradients: T;
  /** `[parameters]`: the exponential moving average of the parameters over the steps. */
  average?: T;
}

export interface AdamStepInputs<T> extends StepInputs<T> {
  firstMoment: T;
  secondMoment: T;
}

export interface AdamStepAttributes extends StepAttributes {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** The number of this step, from 1. */
  step: number;
}

export interface MomentStepInputs<T> extends StepInputs<T> {
  moment: T;
}

export interface SgdStepAttributes extends StepAttributes {
  momentum: number;
}

export interface RmsPropStepAttributes extends StepAttributes {
  decay: number;
  epsilon: number;
}

interface SteppedArrays {
  norm: Tensor;
  parameters: Tensor;
  average?: Tensor;
}

/**
 * Adam with decoupled weight decay, in PyTorch's formula (Kingma and Ba, 2015; Loshchilov and
 * Hutter, 2019).
 *
 * All optimizer steps return the gradients' global norm before clipping, a scalar, and then the
 * arrays they were given, updated, the average (if there is one) last. A norm that is not finite
 * changes none of them.
 */
export function adamStep(
  inputs: AdamStepInputs<Tensor>,
  attributes: AdamStepAttributes,
): SteppedArrays & { firstMoment: Tensor; secondMoment: Tensor } {
  const outputs = run("AdamStep", inputs, attributes);
  const [norm, parameters, firstMoment, secondMoment, average] = outputs;
  return { norm, parameters, firstMoment, secondMoment, average };
}

/** Gradient descent with momentum, in PyTorch's formula (Sutskever et al., 2013). */
export function sgdStep(
  inputs: MomentStepInputs<Tensor>,
  attributes: SgdStepAttributes,
): SteppedArrays & { moment: Tensor } {
  const [norm, parameters, moment, average] = run("SgdStep", inputs, attributes);
  return { norm, parameters, moment, average };
}

/** RMSProp, in PyTorch's formula (Hinton's lecture 6e, 2012). */
export function rmsPropStep(
  inputs: MomentStepInputs<Tensor>,
  attributes: RmsPropStepAttributes,
): SteppedArrays & { moment: Tensor } {
  const [norm, parameters, moment, average] = run("RmsPropStep", inputs, attributes);
  return { norm, parameters, moment, average };
}

/** What a kernel of a backend is called with. */
export interface KernelCall<Inputs, Attributes, Backend> {
  inputs: Inputs;
  attrs: Attributes;
  backend: Backend;
}

/** A backend's kernels by their names. */
export type Kernels = Record<KernelName, (call: KernelCall<never, never, never>) => TensorInfo[]>;

export function registerKernels(backendName: string, kernels: Kernels): void {
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    // tfjs's registry knows neither the inputs nor the attributes of a kernel.
    registerKernel({ kernelName, backendName, kernelFunc: kernelFunc as unknown as KernelFunc });
  }
}

/** Runs a kernel of the active backend; off the gradient tape, which this contract does without. */
function run(name: KernelName, inputs: object, attributes: object): Tensor[] {
  const outputs: unknown = engine().runKernel(
    name,
    inputs as NamedTensorMap,
    attributes as NamedAttrMap,
  );
  return Array.isArray(outputs) ? outputs : [outputs as Tensor];
}
