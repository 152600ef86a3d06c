import { CELLS } from "../../config/cells.js";
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
  type StepAttributes,
  type StepInputs,
} from "../backend.js";
import { getKernelsForBackend, registerKernel, type TensorInfo } from "../tfjs.js";
import type { Workspace } from "../workspace.js";
import { LANES, type NativeBackend } from "./native-backend.js";

/** Registers tfjs's cpu kernels under `native` too, and the addon's. */
export function registerNativeKernels(): void {
  for (const kernel of getKernelsForBackend("cpu")) {
    if (!(kernel.kernelName in KERNELS)) registerKernel({ ...kernel, backendName: "native" });
  }
  registerKernels("native", KERNELS);
}

type Call<Inputs, Attributes> = KernelCall<Inputs, Attributes, NativeBackend>;

const KERNELS = {
  RnnSequence,
  RnnSequenceGrad,
  LinearCrossEntropy,
  DropoutMask,
  AdamStep,
  SgdStep,
  RmsPropStep,
} satisfies Kernels;

function RnnSequence({
  inputs,
  attrs,
  backend,
}: Call<RnnSequenceInputs<TensorInfo>, RnnSequenceAttributes>): TensorInfo[] {
  const sequence = sequenceArguments(inputs, attrs, backend);
  const { time, batch, hidden } = sequence;
  const hiddenAfter = new Float32Array(batch * hidden);
  const hasCellState = CELLS[attrs.cell].hasCellState;
  const cellAfter = hasCellState ? new Float32Array(batch * hidden) : undefined;
  const offset = backend.addon.forwardSequence({ ...sequence, hiddenAfter, cellAfter });
  // Before the outputs of each panel lies the initial state.
  const stride = (time + 1) * batch * LANES;
  const outputs = [
    backend.panelTensor([time, batch, hidden], { data: sequence.scratch, offset, stride }),
    backend.floatTensor([batch, hidden], hiddenAfter),
  ];
  if (cellAfter) outputs.push(backend.floatTensor([batch, hidden], cellAfter));
  return outputs;
}

function RnnSequenceGrad({
  inputs,
  attrs,
  backend,
}: Call<RnnSequenceGradInputs<TensorInfo>, RnnSequenceAttributes>): TensorInfo[] {
  const sequence = sequenceArguments(inputs, attrs, backend);
  const { time, batch, input, hidden } = sequence;
  const gradientOutputPanels = backend.panelsOf(inputs.gradientOutput);
  const gradientHidden = new Float32Array(batch * hidden);
  const gradientCellState = inputs.cellState && new Float32Array(batch * hidden);
  const { gradientEmbedding } = inputs;
  const offset = backend.addon.backwardSequence({
    ...sequence,
    gradientOutputPanels,
    gradientOutput: gradientOutputPanels ? undefined : backend.floats(inputs.gradientOutput),
    gradientWeightIh: backend.floats(inputs.gradientWeightIh),
    gradientWeightHh: backend.floats(inputs.gradientWeightHh),
    gradientBiasIh: backend.floats(inputs.gradientBiasIh),
    gradientBiasHh: backend.floats(inputs.gradientBiasHh),
    gradientEmbedding: gradientEmbedding && backend.floats(gradientEmbedding),
    gradientHidden,
    gradientCellState,
  });
  const outputs = [
    inputs.gradientWeightIh,
    inputs.gradientWeightHh,
    inputs.gradientBiasIh,
    inputs.gradientBiasHh,
    backend.floatTensor([batch, hidden], gradientHidden),
  ];
  if (gradientCellState) outputs.push(backend.floatTensor([batch, hidden], gradientCellState));
  if (gradientEmbedding) outputs.push(gradientEmbedding);
  if (sequence.vocabulary === 0) {
    const stride = time * batch * LANES;
    const panels = { data: sequence.scratch, offset, stride };
    outputs.push(backend.panelTensor([time, batch, input], panels));
  }
  return outputs;
}

function sequenceArguments(
  inputs: RnnSequenceInputs<TensorInfo>,
  { cell, workspace }: RnnSequenceAttributes,
  backend: NativeBackend,
) {
  const { embedding } = inputs;
  const [time, batch] = inputs.input.shape;
  const input = inputs.weightIh.shape[1];
  const readsTokens = inputs.input.dtype === "int32";
  const shape = {
    cell,
    time,
    batch,
    input,
    hidden: inputs.hidden.shape[1],
    vocabulary: readsTokens ? (embedding ?? inputs.weightIh).shape[embedding ? 0 : 1] : 0,
    hasEmbedding: embedding !== undefined,
    inputMasks: inputs.inputMask?.shape[0] ?? 0,
    hasStateMask: inputs.stateMask !== undefined,
    hasWeightMask: inputs.weightMask !== undefined,
  };
  return {
    ...shape,
    scratch: backend.scratch(workspace, backend.addon.sequenceScratch(shape)),
    ...(readsTokens ? { tokens: backend.integers(inputs.input) } : vectors(inputs.input, backend)),
    inputMask: inputs.inputMask && backend.maskArgument(inputs.inputMask),
    embedding: embedding && backend.floats(embedding),
    weightIh: backend.floats(inputs.weightIh),
    weightHh: backend.floats(inputs.weightHh),
    weightMask: inputs.weightMask && backend.maskArgument(inputs.weightMask),
    biasIh: backend.floats(inputs.biasIh),
    biasHh: backend.floats(inputs.biasHh),
    hiddenBefore: backend.floats(inputs.hidden),
    stateMask: inputs.stateMask && backend.maskArgument(inputs.stateMask),
    cellBefore: inputs.cellState && backend.floats(inputs.cellState),
  };
}

/** Vectors as they are kept. */
function vectors(input: TensorInfo, backend: NativeBackend) {
  const inputPanels = backend.panelsOf(input);
  return inputPanels ? { inputPanels } : { vectors: backend.floats(input) };
}

function LinearCrossEntropy({
  inputs,
  attrs: { workspace },
  backend,
}: Call<LinearCrossEntropyInputs<TensorInfo>, { workspace: Workspace }>): TensorInfo[] {
  const { gradientWeight, gradientBias } = inputs;
  const [vocabulary, hidden] = inputs.weight.shape;
  const targets = backend.integers(inputs.targets);
  const rows = targets.length;
  const shape = {
    rows,
    hidden,
    vocabulary,
    lanes: inputs.targets.shape[1],
    hasMask: inputs.inputMask !== undefined,
    wantsGradient: gradientWeight !== undefined && gradientBias !== undefined,
  };
  const scratch = backend.scratch(workspace, backend.addon.crossEntropyScratch(shape));
  const losses = new Float32Array(rows);
  const predictions = new Int32Array(rows);
  const ranks = shape.wantsGradient ? undefined : new Int32Array(rows);
  const offset = backend.addon.crossEntropy({
    ...shape,
    scratch,
    ...vectors(inputs.input, backend),
    mask: inputs.inputMask && backend.maskArgument(inputs.inputMask),
    weight: backend.floats(inputs.weight),
    bias: backend.floats(inputs.bias),
    targets,
    losses,
    predictions,
    ranks,
    gradientWeight: gradientWeight && backend.floats(gradientWeight),
    gradientBias: gradientBias && backend.floats(gradientBias),
  });
  const outputs = [
    backend.floatTensor(inputs.targets.shape, losses),
    backend.makeTensorInfo(inputs.targets.shape, "int32", predictions),
  ];
  if (ranks) outputs.push(backend.makeTensorInfo(inputs.targets.shape, "int32", ranks));
  if (gradientWeight && gradientBias) {
    const panels = { data: scratch, offset, stride: rows * LANES };
    outputs.push(backend.panelTensor(inputs.input.shape, panels), gradientWeight, gradientBias);
  }
  return outputs;
}

function DropoutMask({ attrs, backend }: Call<object, DropoutMaskAttributes>): TensorInfo[] {
  return [backend.maskTensor(attrs)];
}

function AdamStep({
  inputs,
  attrs,
  backend,
}: Call<AdamStepInputs<TensorInfo>, AdamStepAttributes>): TensorInfo[] {
  const { learningRate, beta1, beta2, epsilon, step } = attrs;
  const norm = backend.addon.adamStep({
    ...stepArguments(inputs, attrs, backend),
    firstMoment: backend.floats(inputs.firstMoment),
    secondMoment: backend.floats(inputs.secondMoment),
    beta1,
    beta2,
    epsilon,
    stepSize: learningRate / (1 - beta1 ** step),
    correction: Math.sqrt(1 - beta2 ** step),
  });
  return stepOutputs(backend, norm, inputs, [inputs.firstMoment, inputs.secondMoment]);
}

function SgdStep({
  inputs,
  attrs,
  backend,
}: Call<MomentStepInputs<TensorInfo>, SgdStepAttributes>): TensorInfo[] {
  const norm = backend.addon.sgdStep({
    ...stepArguments(inputs, attrs, backend),
    moment: backend.floats(inputs.moment),
    momentum: attrs.momentum,
  });
  return stepOutputs(backend, norm, inputs, [inputs.moment]);
}

function RmsPropStep({
  inputs,
  attrs,
  backend,
}: Call<MomentStepInputs<TensorInfo>, RmsPropStepAttributes>): TensorInfo[] {
  const norm = backend.addon.rmsPropStep({
    ...stepArguments(inputs, attrs, backend),
    moment: backend.floats(inputs.moment),
    decay: attrs.decay,
    epsilon: attrs.epsilon,
  });
  return stepOutputs(backend, norm, inputs, [inputs.moment]);
}

function stepArguments(
  inputs: StepInputs<TensorInfo>,
  { learningRate, clipNorm, clipValue, weightDecay, averageDecay = 0 }: StepAttributes,
  backend: NativeBackend,
) {
  const parameters = backend.floats(inputs.parameters);
  return {
    count: parameters.length,
    parameters,
    gradients: backend.floats(inputs.gradients),
    learningRate,
    clipNorm,
    clipValue,
    weightDecay,
    average: inputs.average && backend.floats(inputs.average),
    averageDecay,
  };
}

function stepOutputs(
  backend: NativeBackend,
  norm: number,
  inputs: StepInputs<TensorInfo>,
  moments: TensorInfo[],
): TensorInfo[] {
  const { parameters, average } = inputs;
  const outputs = [backend.floatTensor([], Float32Array.of(norm)), parameters, ...moments];
  return average ? [...outputs, average] : outputs;
}
