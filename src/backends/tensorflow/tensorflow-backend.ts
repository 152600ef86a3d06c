import type {
  AdamArrays,
  AdamSettings,
  Backend,
  BackendFacts,
  DecodeModel,
  Decoder,
  DecoderGradients,
  DecodeSession,
  MomentArrays,
  ParameterArray,
  PredictionsWithGradient,
  RankedPredictions,
  RmsPropSettings,
  RnnGradients,
  RnnInputGradients,
  RnnLayer,
  RnnOutputs,
  SgdSettings,
  Workspace,
} from "../backend.js";
import { addRecords, packGradients, unpackGradients } from "../gradient-record.js";
import { type RowSums, spreadRows, sumRows } from "../row-sums.js";
import { stoppable } from "../stop.js";
import type { TensorFlowBinding } from "./binding.js";
import { type Cudnn, tryCudnn } from "./cudnn-check.js";
import { openTensorFlowDecodeSession } from "./decode-session.js";
import { asVectors, type LayerInput, tensorsOf } from "./input.js";
import { layerMethod } from "./layers.js";
import { lossAndGradients, scores } from "./linear-cross-entropy.js";
import { type Id, idsIn, type Operations } from "./operations.js";
import { takeAdamStep, takeRmsPropStep, takeSgdStep } from "./optimizer-steps.js";
import { TensorFlowParameterArray } from "./parameter-array.js";
import { Runtime } from "./runtime.js";
import { idOf, masked, maskId, overwrite, TensorFlowTensor } from "./tensors.js";
import { type ForwardPass, TensorFlowWorkspace } from "./workspace.js";

/** A backend of TensorFlow's operations. */
export class TensorFlowBackend implements Backend {
  readonly name = "tensorflow";
  readonly facts: BackendFacts;
  readonly runtime: Runtime;
  /** Whether layers use it where they can. */
  readonly cudnn: Cudnn;

  constructor(
    binding: TensorFlowBinding,
    readonly threads: number,
  ) {
    this.runtime = new Runtime(binding);
    this.cudnn = this.runtime.run(tryCudnn);
    const { usable, fault } = this.cudnn;
    this.facts = {
      warning:
        fault &&
        `cuDNN's layers can't be used: ${fault}. Using other layers, which are several times slower.`,
      tensorflow: {
        version: binding.TF_Version,
        device: this.runtime.onGpu ? "GPU" : "CPU",
        cudnn: usable,
      },
    };
  }

  parameterArray(shapes: ReadonlyMap<string, readonly number[]>): TensorFlowParameterArray {
    return new TensorFlowParameterArray(this.runtime, shapes);
  }

  createWorkspace(): Workspace {
    return new TensorFlowWorkspace(this.runtime);
  }

  rnnForward(layer: RnnLayer, workspace: Workspace): RnnOutputs {
    return this.#stoppable((ops) => {
      const pass = this.#passOver(ops, layer);
      const { method, weights, input, state } = pass;
      const prepared = method.prepare(ops, weights, input.kind !== "vectors", layer.hiddenSize);
      const { output, saved, ...after } = method.forward(ops, prepared, input, state, layer);
      const hidden = ops.floats(after.hidden);
      const cellState = after.cellState === undefined ? undefined : ops.floats(after.cellState);
      const { weightMask, tokens } = pass;
      const used = [output, saved, weights, weightMask, tensorsOf(input), tokens, state];
      own(workspace).keep({ ...pass, saved }, ops.keepOwn(idsIn(used)));
      return { output: this.#tensor(layer.time * hidden.length, output), hidden, cellState };
    });
  }

  rnnBackward(layer: RnnLayer, gradients: RnnGradients, workspace: Workspace): RnnInputGradients {
    return this.#stoppable((ops) => {
      const work = own(workspace);
      const { method, weights, weightMask, input, tokens, state, saved } = work.pass;
      const { time, batch, inputSize, hiddenSize } = layer;
      const gradientOutput = idOf(ops, gradients.gradientOutput, [time, batch, hiddenSize]);
      const made = method.backward(ops, weights, input, state, layer, saved, gradientOutput);
      overwrite(ops, gradients.gradientWeightIh, made.weightIh);
      overwrite(ops, gradients.gradientWeightHh, masked(ops, made.weightHh, weightMask));
      overwrite(ops, gradients.gradientBiasIh, made.biasIh);
      overwrite(ops, gradients.gradientBiasHh, made.biasHh);
      const { gradientEmbedding } = gradients;
      const { embedding, vectors, hidden, cellState } = made;
      if (gradientEmbedding && embedding !== undefined) {
        overwrite(ops, gradientEmbedding, embedding);
      } else if (gradientEmbedding && vectors !== undefined && tokens !== undefined) {
        // The layer has read its tokens as vectors.
        const rows = ops.reshape(vectors, time * batch, inputSize);
        const vocabulary = gradientEmbedding.length / inputSize;
        const sums = ops.unsortedSegmentSum(rows, ops.reshape(tokens, -1), vocabulary);
        overwrite(ops, gradientEmbedding, sums);
      }
      const gradientInput = tokens === undefined ? vectors : undefined;
      work.keepResults(ops.keepOwn(idsIn([gradientInput, hidden, cellState])));
      const result = (id: Id | undefined, length: number) =>
        id === undefined ? undefined : this.#tensor(length, id);
      return {
        gradientInput: result(gradientInput, time * batch * inputSize),
        gradientHidden: this.#tensor(batch * hiddenSize, hidden),
        gradientCellState: result(cellState, batch * hiddenSize),
      };
    });
  }

  linearCrossEntropy(
    decoder: Decoder,
    gradients: DecoderGradients,
    workspace: Workspace,
  ): PredictionsWithGradient {
    return this.#stoppable((ops) => {
      const made = lossAndGradients(ops, decoder);
      const { losses, predictions, gradientInput } = made;
      overwrite(ops, gradients.gradientWeight, made.gradientWeight);
      overwrite(ops, gradients.gradientBias, made.gradientBias);
      own(workspace).keepResults(ops.keepOwn([gradientInput]));
      const length = decoder.targets.length * decoder.hiddenSize;
      return { losses, predictions, gradientInput: this.#tensor(length, gradientInput) };
    });
  }

  linearCrossEntropyScores(
    decoder: Decoder,
    _workspace: Workspace,
    logits?: Float32Array,
  ): RankedPredictions {
    return this.#stoppable((ops) => scores(ops, decoder, logits));
  }

  adamStep(arrays: AdamArrays, settings: AdamSettings): number {
    return this.runtime.run((ops) => takeAdamStep(ops, arrays, settings));
  }

  sgdStep(arrays: MomentArrays, settings: SgdSettings): number {
    return this.runtime.run((ops) => takeSgdStep(ops, arrays, settings));
  }

  rmsPropStep(arrays: MomentArrays, settings: RmsPropSettings): number {
    return this.runtime.run((ops) => takeRmsPropStep(ops, arrays, settings));
  }

  sumRows(sums: RowSums, parameters: ParameterArray, vectors: Float32Array): void {
    sumRows(sums, parameters.read(), vectors);
  }

  spreadRows(sums: RowSums, gradient: Float32Array, gradients: ParameterArray): void {
    const size = (gradient.length / sums.rows.length) * sums.terms;
    const table = new Float32Array(sums.tableRows * size);
    spreadRows(sums, gradient, table);
    let begin = 0;
    for (const [name, { length }] of gradients.byName) {
      if (begin === table.length) break;
      gradients.writeSlice(name, table.subarray(begin, begin + length));
      begin += length;
    }
  }

  packGradients(gradients: ParameterArray, factor: number, record: Uint8Array): void {
    packGradients(gradients.read(), factor, record);
  }

  addRecords(records: Uint8Array, sum: Uint8Array): void {
    addRecords(records, sum);
  }

  unpackGradients(record: Uint8Array, gradients: ParameterArray): void {
    const values = new Float32Array(gradients.flat.length);
    unpackGradients(record, values);
    gradients.write(values);
  }

  openDecodeSession(model: DecodeModel, sequences: number): DecodeSession {
    return openTensorFlowDecodeSession(this.runtime, this.cudnn.usable, model, sequences);
  }

  #stoppable<Result>(work: (ops: Operations) => Result): Result {
    return stoppable(() => this.runtime.run(work));
  }

  #tensor(length: number, id: Id): TensorFlowTensor {
    return new TensorFlowTensor(length, this.runtime, () => id);
  }

  /** TensorFlow's tensors of all that a layer reads. */
  #passOver(ops: Operations, layer: RnnLayer): Omit<ForwardPass, "saved"> {
    const { cell, batch, inputSize, hiddenSize, embedding, stateMask, cellState } = layer;
    const gates = layer.biasIh.length;
    const weightMask = layer.weightMask && maskId(ops, layer.weightMask, hiddenSize);
    const weightHh = idOf(ops, layer.weightHh, [gates, hiddenSize]);
    const weights = {
      weightIh: idOf(ops, layer.weightIh, [gates, inputSize]),
      weightHh: masked(ops, weightHh, weightMask),
      biasIh: idOf(ops, layer.biasIh, [gates]),
      biasHh: idOf(ops, layer.biasHh, [gates]),
      embedding: embedding && idOf(ops, embedding, [embedding.length / inputSize, inputSize]),
    };
    const state = {
      hidden: idOf(ops, layer.hidden, [batch, hiddenSize]),
      cellState: cellState && idOf(ops, cellState, [batch, hiddenSize]),
      mask: stateMask && maskId(ops, stateMask, hiddenSize),
    };
    const by = { masked: stateMask !== undefined, cudnn: this.cudnn.usable };
    const method = layerMethod(cell, by);
    return { method, weights, weightMask, ...inputOf(ops, layer, weights.embedding), state };
  }
}

/** What a layer reads; tokens under masks are turned into the vectors that the masks multiply. */
function inputOf(
  ops: Operations,
  { time, batch, inputSize, input, embedding, inputMask }: RnnLayer,
  embeddingId: Id | undefined,
): { input: LayerInput; tokens: Id | undefined } {
  const sizes = { time, batch, size: inputSize };
  const mask = inputMask && maskId(ops, inputMask, inputSize);
  if (!(input instanceof Int32Array)) {
    const vectors = idOf(ops, input, [time, batch, inputSize]);
    return { input: { ...sizes, kind: "vectors", vectors, mask }, tokens: undefined };
  }
  const tokens = ops.tensor([time, batch], "int32", input.slice());
  const asTokens: LayerInput =
    embedding && embeddingId !== undefined
      ? {
          ...sizes,
          kind: "embedded",
          tokens,
          embedding: embeddingId,
          vocabulary: embedding.length / inputSize,
        }
      : { ...sizes, kind: "one-hot", tokens };
  if (inputMask === undefined || mask === undefined) return { input: asTokens, tokens };
  const masks = inputMask.length / inputSize;
  const maskOfSequence = Int32Array.from({ length: batch }, (_, sequence) => sequence % masks);
  const masksOfBatch = ops.gather(mask, ops.tensor([batch], "int32", maskOfSequence));
  const vectors = asVectors(ops, asTokens);
  return { input: { ...sizes, kind: "vectors", vectors, mask: masksOfBatch }, tokens };
}

function own(workspace: Workspace): TensorFlowWorkspace {
  if (workspace instanceof TensorFlowWorkspace) return workspace;
  throw new Error("This is the workspace of another backend.");
}
