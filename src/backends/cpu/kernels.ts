import { CELLS } from "../../config/cells.js";
import { sizeOf } from "../../config/model.js";
import {
  type AdamStepAttributes,
  type AdamStepInputs,
  type DropoutMaskAttributes,
  type KernelCall,
  type Kernels,
  type LinearCrossEntropyInputs,
  type MomentStepInputs,
  type RmsPropStepAttributes,
  type RnnSequenceAttributes,
  type RnnSequenceGradInputs,
  type RnnSequenceInputs,
  registerKernels,
  type SgdStepAttributes,
  type StepInputs,
} from "../backend.js";
import { stoppable } from "../stop.js";
import type { TensorInfo } from "../tfjs.js";
import type { MathBackendCPU } from "../tfjs-cpu.js";
import type { FloatArray, Workspace } from "../workspace.js";
import { fillDropoutMask } from "./dropout-mask.js";
import { forwardAndBackwardLoss } from "./linear-cross-entropy.js";
import { takeAdamStep, takeRmsPropStep, takeSgdStep } from "./optimizer-steps.js";
import {
  backwardSequence,
  forwardSequence,
  type SequenceArrays,
  type SequenceGradArrays,
  type SequenceSizes,
} from "./rnn-sequence.js";

/** Registers the reference kernels under a backend that keeps its tensors as tfjs's `cpu` does. */
export function registerReferenceKernels(backendName: string): void {
  registerKernels(backendName, KERNELS);
}

type Call<Inputs, Attributes> = KernelCall<Inputs, Attributes, MathBackendCPU>;

const KERNELS = {
  RnnSequence: stoppable(RnnSequence),
  RnnSequenceGrad: stoppable(RnnSequenceGrad),
  LinearCrossEntropy: stoppable(LinearCrossEntropy),
  DropoutMask,
  AdamStep,
  SgdStep,
  RmsPropStep,
} satisfies Kernels;

function RnnSequence({
  inputs,
  attrs: { cell, workspace },
  backend,
}: Call<RnnSequenceInputs<TensorInfo>, RnnSequenceAttributes>): TensorInfo[] {
  const sizes = sequenceSizes(inputs, cell);
  const arrays = allValues(backend, inputs) as SequenceArrays;
  const { hiddens, cells } = forwardSequence(sizes, arrays, workspace);
  const { time, batch, hiddenSize } = sizes;
  const units = batch * hiddenSize;
  const output = hiddens.subarray(units);
  const shape = [time, batch, hiddenSize];
  const outputs = [
    floatTensor(backend, shape, output),
    floatTensor(backend, [batch, hiddenSize], hiddens.slice(time * units)),
  ];
  if (CELLS[cell].hasCellState) {
    outputs.push(floatTensor(backend, [batch, hiddenSize], cells.slice(time * units)));
  }
  return outputs;
}

function RnnSequenceGrad({
  inputs,
  attrs: { cell, workspace },
  backend,
}: Call<RnnSequenceGradInputs<TensorInfo>, RnnSequenceAttributes>): TensorInfo[] {
  const sizes = sequenceSizes(inputs, cell);
  const arrays = allValues(backend, inputs) as SequenceGradArrays;
  const gradients = backwardSequence(sizes, arrays, workspace);
  const stateShape = [sizes.batch, sizes.hiddenSize];
  const outputs = [
    inputs.gradientWeightIh,
    inputs.gradientWeightHh,
    inputs.gradientBiasIh,
    inputs.gradientBiasHh,
    floatTensor(backend, stateShape, gradients.hidden.slice()),
  ];
  if (inputs.cellState) outputs.push(floatTensor(backend, stateShape, gradients.cell.slice()));
  if (inputs.gradientEmbedding) outputs.push(inputs.gradientEmbedding);
  if (gradients.input) outputs.push(floatTensor(backend, inputs.input.shape, gradients.input));
  return outputs;
}

function LinearCrossEntropy({
  inputs,
  attrs: { workspace },
  backend,
}: Call<LinearCrossEntropyInputs<TensorInfo>, { workspace: Workspace }>): TensorInfo[] {
  const arrays = allValues(backend, inputs);
  const targets = arrays.targets as unknown as Int32Array;
  const losses = new Float32Array(targets.length);
  const predictions = new Int32Array(targets.length);
  const ranks = new Int32Array(targets.length);
  const results = { losses, predictions, ranks };
  const gradientInput = forwardAndBackwardLoss({ ...arrays, targets }, results, workspace);
  const { shape } = inputs.targets;
  const outputs = [
    floatTensor(backend, shape, losses),
    backend.makeTensorInfo(shape, "int32", predictions),
  ];
  if (gradientInput && inputs.gradientWeight && inputs.gradientBias) {
    outputs.push(floatTensor(backend, inputs.input.shape, gradientInput));
    outputs.push(inputs.gradientWeight, inputs.gradientBias);
  } else {
    outputs.push(backend.makeTensorInfo(shape, "int32", ranks));
  }
  return outputs;
}

function DropoutMask({ attrs, backend }: Call<object, DropoutMaskAttributes>): TensorInfo[] {
  const mask = new Float32Array(sizeOf(attrs.shape));
  fillDropoutMask(mask, attrs);
  return [floatTensor(backend, [...attrs.shape], mask)];
}

function AdamStep({
  inputs,
  attrs,
  backend,
}: Call<AdamStepInputs<TensorInfo>, AdamStepAttributes>): TensorInfo[] {
  const norm = takeAdamStep(allValues(backend, inputs), attrs);
  return stepOutputs(backend, norm, inputs, [inputs.firstMoment, inputs.secondMoment]);
}

function SgdStep({
  inputs,
  attrs,
  backend,
}: Call<MomentStepInputs<TensorInfo>, SgdStepAttributes>): TensorInfo[] {
  const norm = takeSgdStep(allValues(backend, inputs), attrs);
  return stepOutputs(backend, norm, inputs, [inputs.moment]);
}

function RmsPropStep({
  inputs,
  attrs,
  backend,
}: Call<MomentStepInputs<TensorInfo>, RmsPropStepAttributes>): TensorInfo[] {
  const norm = takeRmsPropStep(allValues(backend, inputs), attrs);
  return stepOutputs(backend, norm, inputs, [inputs.moment]);
}

function stepOutputs(
  backend: MathBackendCPU,
  norm: number,
  inputs: StepInputs<TensorInfo>,
  moments: TensorInfo[],
): TensorInfo[] {
  const { parameters, average } = inputs;
  const outputs = [floatTensor(backend, [], Float32Array.of(norm)), parameters, ...moments];
  return average ? [...outputs, average] : outputs;
}

function sequenceSizes(
  inputs: RnnSequenceInputs<TensorInfo>,
  cell: RnnSequenceAttributes["cell"],
): SequenceSizes {
  const [time, batch] = inputs.input.shape;
  const inputSize = inputs.weightIh.shape[1];
  return { cell, time, batch, inputSize, hiddenSize: inputs.hidden.shape[1] };
}

/** The array in which tfjs's cpu backend keeps a tensor: no copy. */
function values(backend: MathBackendCPU, info: TensorInfo): FloatArray {
  return backend.data.get(info.dataId).values as Float32Array;
}

/** The arrays of all inputs that are given. */
function allValues<Inputs extends object>(
  backend: MathBackendCPU,
  inputs: Inputs,
): { [Name in keyof Inputs]: FloatArray | Extract<Inputs[Name], undefined> } {
  const given = Object.entries(inputs).filter(([, info]) => info !== undefined);
  return Object.fromEntries(
    given.map(([name, info]) => [name, values(backend, info as TensorInfo)]),
  ) as ReturnType<typeof allValues<Inputs>>;
}

function floatTensor(backend: MathBackendCPU, shape: number[], data: FloatArray): TensorInfo {
  return backend.makeTensorInfo(shape, "float32", data as Float32Array);
}
