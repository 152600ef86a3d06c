import type { CellName } from "../../config/cells.js";
import { sizeOf } from "../../config/model.js";
import {
  type DropoutMaskAttributes,
  type KernelCall,
  type Kernels,
  type LinearCrossEntropyInputs,
  type RnnSequenceAttributes,
  type RnnSequenceGradInputs,
  type RnnSequenceInputs,
  registerKernels,
} from "../backend.js";
import { fillDropoutMask } from "../cpu/dropout-mask.js";
import { stoppable } from "../stop.js";
import type { TensorInfo } from "../tfjs.js";
import type { Workspace } from "../workspace.js";
import { asVectors, type LayerInput } from "./input.js";
import { lossAndGradients } from "./linear-cross-entropy.js";
import { type Id, idsIn, type Operations } from "./operations.js";
import { adamStep, rmsPropStep, type Stepped, sgdStep } from "./optimizer-steps.js";
import { sequenceLayer } from "./rnn-sequence.js";
import type { LayerState, SequenceSizes } from "./sequence-layer.js";
import type { TensorFlowBackend } from "./tensorflow-backend.js";

/** Registers the kernels, made of TensorFlow's operations. */
export function registerTensorFlowKernels(): void {
  registerKernels("tensorflow", KERNELS);
}

type Call<Inputs, Attributes> = KernelCall<Inputs, Attributes, TensorFlowBackend>;

const KERNELS = {
  RnnSequence: stoppable(RnnSequence),
  RnnSequenceGrad: stoppable(RnnSequenceGrad),
  LinearCrossEntropy: stoppable(LinearCrossEntropy),
  DropoutMask,
  AdamStep: stepKernel(adamStep, ["parameters", "firstMoment", "secondMoment"]),
  SgdStep: stepKernel(sgdStep, ["parameters", "moment"]),
  RmsPropStep: stepKernel(rmsPropStep, ["parameters", "moment"]),
} satisfies Kernels;

function RnnSequence({
  inputs,
  attrs: { cell, workspace },
  backend,
}: Call<RnnSequenceInputs<TensorInfo>, RnnSequenceAttributes>): TensorInfo[] {
  const sizes = sequenceSizes(inputs);
  const { time, batch, hiddenSize } = sizes;
  const layer = layerOf(inputs, cell, backend);
  return backend.run((ops) => {
    const input = layerInput(ops, inputs, backend);
    const readsTokens = input.kind !== "vectors";
    const weights = weightsOf(ops, inputs, backend);
    const prepared = layer.prepare(ops, weights, readsTokens, hiddenSize);
    const made = layer.forward(ops, prepared, input, stateOf(inputs, backend), sizes);
    const { output, hidden, cellState, kept } = made;
    const outputs = [
      owned(backend, ops, [time, batch, hiddenSize], output),
      owned(backend, ops, [batch, hiddenSize], hidden),
    ];
    if (cellState !== undefined) outputs.push(owned(backend, ops, [batch, hiddenSize], cellState));
    const ids = ops.keepOwn(idsIn(kept));
    workspace.keep({
      value: kept,
      dispose: () => backend.free(ids),
    });
    return outputs;
  });
}

function RnnSequenceGrad({
  inputs,
  attrs: { cell, workspace },
  backend,
}: Call<RnnSequenceGradInputs<TensorInfo>, RnnSequenceAttributes>): TensorInfo[] {
  const sizes = sequenceSizes(inputs);
  const { batch, hiddenSize } = sizes;
  const layer = layerOf(inputs, cell, backend);
  return backend.run((ops) => {
    const by = layer.backward(
      ops,
      weightsOf(ops, inputs, backend),
      layerInput(ops, inputs, backend),
      stateOf(inputs, backend),
      sizes,
      workspace.kept(),
      backend.id(inputs.gradientOutput),
    );
    const write = (to: TensorInfo, id: Id) => {
      backend.overwrite(to, ops.keep(id));
      return to;
    };
    const outputs = [
      write(inputs.gradientWeightIh, by.weightIh),
      write(inputs.gradientWeightHh, withMask(ops, by.weightHh, inputs.weightMask, backend)),
      write(inputs.gradientBiasIh, by.biasIh),
      write(inputs.gradientBiasHh, by.biasHh),
      owned(backend, ops, [batch, hiddenSize], by.hidden),
    ];
    if (by.cellState !== undefined) {
      outputs.push(owned(backend, ops, [batch, hiddenSize], by.cellState));
    }
    if (inputs.gradientEmbedding) {
      const embedding = by.embedding ?? gradientOfTokens(ops, inputs, by.vectors as Id, backend);
      outputs.push(write(inputs.gradientEmbedding, embedding));
    }
    if (inputs.input.dtype !== "int32") {
      outputs.push(owned(backend, ops, inputs.input.shape, by.vectors as Id));
    }
    return outputs;
  });
}

function LinearCrossEntropy({
  inputs,
  backend,
}: Call<LinearCrossEntropyInputs<TensorInfo>, { workspace: Workspace }>): TensorInfo[] {
  const { gradientWeight, gradientBias } = inputs;
  const [time, batch, hidden] = inputs.input.shape;
  return backend.run((ops) => {
    const { losses, predictions, ranks, gradients } = lossAndGradients(
      ops,
      {
        input: backend.id(inputs.input),
        inputMask: inputs.inputMask && backend.id(inputs.inputMask),
        weight: backend.id(inputs.weight),
        bias: backend.id(inputs.bias),
        targets: backend.readSync(inputs.targets.dataId) as Int32Array,
      },
      [time, batch, hidden],
      inputs.weight.shape[0],
      gradientWeight !== undefined && gradientBias !== undefined,
    );
    const outputs = [
      owned(backend, ops, [time, batch], losses),
      owned(backend, ops, [time, batch], predictions, "int32"),
    ];
    if (ranks !== undefined) outputs.push(owned(backend, ops, [time, batch], ranks, "int32"));
    if (gradients && gradientWeight && gradientBias) {
      outputs.push(owned(backend, ops, [time, batch, hidden], gradients.input));
      backend.overwrite(gradientWeight, ops.keep(gradients.weight));
      backend.overwrite(gradientBias, ops.keep(gradients.bias));
      outputs.push(gradientWeight, gradientBias);
    }
    return outputs;
  });
}

function DropoutMask({ attrs, backend }: Call<object, DropoutMaskAttributes>): TensorInfo[] {
  const shape = [...attrs.shape];
  const mask = new Float32Array(sizeOf(shape));
  fillDropoutMask(mask, attrs);
  return [{ dataId: backend.write(mask, shape, "float32"), shape, dtype: "float32" }];
}

/** The arrays of an optimizer's step. */
type StepArrays<Name extends string, T> = Record<Name | "gradients", T> & { average?: T };

/** A kernel that overwrites what it is given by what an optimizer's step makes of it. */
function stepKernel<Name extends string, Attributes>(
  step: (
    ops: Operations,
    arrays: StepArrays<Name, Id>,
    attributes: Attributes,
  ) => Stepped<StepArrays<Name, Id>>,
  outputs: readonly Name[],
) {
  return ({ inputs, attrs, backend }: Call<StepArrays<Name, TensorInfo>, Attributes>) =>
    backend.run((ops) => {
      const { norm, changed } = step(ops, idsOf(backend, inputs) as StepArrays<Name, Id>, attrs);
      for (const [name, id] of Object.entries<Id>(changed ?? {})) {
        const to = inputs[name as keyof typeof inputs] as TensorInfo;
        // Gradients that were not clipped are what they were.
        if (id !== backend.id(to)) backend.overwrite(to, ops.keep(id));
      }
      const changedInputs = [...outputs, "average" as const].map(
        (name): TensorInfo | undefined => inputs[name],
      );
      return [owned(backend, ops, [], norm), ...changedInputs.filter((info) => info !== undefined)];
    });
}

/** The tensors of all inputs that are given. */
function idsOf<Name extends string>(
  backend: TensorFlowBackend,
  inputs: Partial<Record<Name, TensorInfo>>,
): Record<Name, Id> {
  const given = Object.entries<TensorInfo | undefined>(inputs).filter(([, info]) => info);
  const ids = given.map(([name, info]) => [name, backend.id(info as TensorInfo)]);
  return Object.fromEntries(ids) as Record<Name, Id>;
}

/** A tensor that owns what an operation made. */
function owned(
  backend: TensorFlowBackend,
  ops: Operations,
  shape: number[],
  id: Id,
  dtype: "float32" | "int32" = "float32",
): TensorInfo {
  return backend.tensor(shape, dtype, ops.keep(id));
}

function sequenceSizes({ input, hidden }: RnnSequenceInputs<TensorInfo>): SequenceSizes {
  const [time, batch] = input.shape;
  return { time, batch, hiddenSize: hidden.shape[1] };
}

function layerOf(
  { stateMask }: RnnSequenceInputs<TensorInfo>,
  cell: CellName,
  { cudnn }: TensorFlowBackend,
) {
  return sequenceLayer(cell, { masked: stateMask !== undefined, cudnn: cudnn.usable });
}

/** The weights that a layer uses: the recurrent ones are masked. */
function weightsOf(
  ops: Operations,
  inputs: RnnSequenceInputs<TensorInfo>,
  backend: TensorFlowBackend,
) {
  const { weightIh, weightHh, biasIh, biasHh } = inputs;
  const weights = idsOf(backend, { weightIh, weightHh, biasIh, biasHh });
  return {
    ...weights,
    weightHh: withMask(ops, weights.weightHh, inputs.weightMask, backend),
    embedding: inputs.embedding && backend.id(inputs.embedding),
  };
}

function withMask(
  ops: Operations,
  id: Id,
  mask: TensorInfo | undefined,
  backend: TensorFlowBackend,
): Id {
  return mask ? ops.multiply(id, backend.id(mask)) : id;
}

function stateOf(
  { hidden, cellState, stateMask }: RnnSequenceInputs<TensorInfo>,
  backend: TensorFlowBackend,
): LayerState {
  return {
    hidden: backend.id(hidden),
    cellState: cellState && backend.id(cellState),
    mask: stateMask && backend.id(stateMask),
  };
}

/** What a layer reads; tokens under masks are turned into the vectors that the masks multiply. */
function layerInput(
  ops: Operations,
  { input, embedding, inputMask, weightIh }: RnnSequenceInputs<TensorInfo>,
  backend: TensorFlowBackend,
): LayerInput {
  const [time, batch] = input.shape;
  const common = { time, batch, size: weightIh.shape[1] };
  const id = backend.id(input);
  const mask = inputMask && backend.id(inputMask);
  if (input.dtype !== "int32") return { ...common, kind: "vectors", vectors: id, mask };
  const tokens: LayerInput = embedding
    ? {
        ...common,
        kind: "embedded",
        tokens: id,
        embedding: backend.id(embedding),
        vocabulary: embedding.shape[0],
      }
    : { ...common, kind: "one-hot", tokens: id };
  if (!inputMask || mask === undefined) return tokens;
  const [masks] = inputMask.shape;
  const maskOfLane = Int32Array.from({ length: batch }, (_, lane) => lane % masks);
  return {
    ...common,
    kind: "vectors",
    vectors: asVectors(ops, tokens),
    mask: ops.rows(mask, ops.tensor([batch], "int32", maskOfLane)),
  };
}

/** The gradient by the embedding of that by the vectors which were made of tokens. */
function gradientOfTokens(
  ops: Operations,
  { input, embedding }: RnnSequenceInputs<TensorInfo>,
  byVectors: Id,
  backend: TensorFlowBackend,
): Id {
  const [vocabulary, size] = (embedding as TensorInfo).shape;
  const tokens = ops.reshape(backend.id(input), -1);
  return ops.sumsByNumber(ops.reshape(byVectors, -1, size), tokens, vocabulary);
}
