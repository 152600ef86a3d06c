import { CELLS } from "../../config/cells.js";
import type {
  AdamArrays,
  AdamSettings,
  Backend,
  DecodeModel,
  Decoder,
  DecoderGradients,
  DecodeSession,
  Mask,
  MomentArrays,
  PredictionsWithGradient,
  RankedPredictions,
  RmsPropSettings,
  RnnGradients,
  RnnInputGradients,
  RnnLayer,
  RnnOutputs,
  SgdSettings,
  StepArrays,
  Workspace,
} from "../backend.js";
import { arrayOf, lengthOf, numbersOf, PlainParameterArray } from "../plain-arrays.js";
import { stoppable } from "../stop.js";
import { openCpuDecodeSession } from "./decode-session.js";
import { fillDropoutMask } from "./dropout-mask.js";
import { forwardAndBackwardLoss } from "./linear-cross-entropy.js";
import { takeAdamStep, takeRmsPropStep, takeSgdStep } from "./optimizer-steps.js";
import { backwardSequence, forwardSequence, type SequenceArrays } from "./rnn-sequence.js";
import { CpuWorkspace } from "./workspace.js";

/** The fallback: loops in JavaScript over plain arrays, in one thread, which run everywhere. */
export class CpuBackend implements Backend {
  readonly name = "cpu";
  readonly threads = 1;
  readonly facts = {};

  parameterArray(shapes: ReadonlyMap<string, readonly number[]>): PlainParameterArray {
    return new PlainParameterArray(new Float32Array(lengthOf(shapes)), shapes);
  }

  createWorkspace(): Workspace {
    return new CpuWorkspace();
  }

  rnnForward(layer: RnnLayer, workspace: Workspace): RnnOutputs {
    return stoppable(() => {
      const { cell, time, batch, hiddenSize } = layer;
      const work = own(workspace);
      const { hiddens, cells } = forwardSequence(layer, sequenceArrays(layer, work, true), work);
      const units = batch * hiddenSize;
      return {
        output: hiddens.subarray(units),
        hidden: hiddens.slice(time * units),
        cellState: CELLS[cell].hasCellState ? cells.slice(time * units) : undefined,
      };
    });
  }

  rnnBackward(layer: RnnLayer, gradients: RnnGradients, workspace: Workspace): RnnInputGradients {
    return stoppable(() => {
      const work = own(workspace);
      const { gradientEmbedding } = gradients;
      const arrays = {
        ...sequenceArrays(layer, work, false),
        gradientOutput: numbersOf(gradients.gradientOutput),
        gradientWeightIh: arrayOf(gradients.gradientWeightIh),
        gradientWeightHh: arrayOf(gradients.gradientWeightHh),
        gradientBiasIh: arrayOf(gradients.gradientBiasIh),
        gradientBiasHh: arrayOf(gradients.gradientBiasHh),
        gradientEmbedding: gradientEmbedding && arrayOf(gradientEmbedding),
      };
      const { hidden, cell, input } = backwardSequence(layer, arrays, work);
      return {
        gradientInput: input,
        gradientHidden: hidden,
        gradientCellState: layer.cellState && cell,
      };
    });
  }

  linearCrossEntropy(
    decoder: Decoder,
    gradients: DecoderGradients,
    workspace: Workspace,
  ): PredictionsWithGradient {
    const { losses, predictions, gradientInput } = loss(decoder, gradients, workspace);
    if (!gradientInput) throw new Error("There is no gradient with respect to the input.");
    return { losses, predictions, gradientInput: gradientInput };
  }

  linearCrossEntropyScores(decoder: Decoder, workspace: Workspace): RankedPredictions {
    const { losses, predictions, ranks } = loss(decoder, undefined, workspace);
    return { losses, predictions, ranks };
  }

  adamStep(arrays: AdamArrays, settings: AdamSettings): number {
    const firstMoment = arrayOf(arrays.firstMoment);
    const secondMoment = arrayOf(arrays.secondMoment);
    return takeAdamStep({ ...stepArrays(arrays), firstMoment, secondMoment }, settings);
  }

  sgdStep(arrays: MomentArrays, settings: SgdSettings): number {
    return takeSgdStep({ ...stepArrays(arrays), moment: arrayOf(arrays.moment) }, settings);
  }

  rmsPropStep(arrays: MomentArrays, settings: RmsPropSettings): number {
    return takeRmsPropStep({ ...stepArrays(arrays), moment: arrayOf(arrays.moment) }, settings);
  }

  openDecodeSession(model: DecodeModel, sequences: number): DecodeSession {
    return openCpuDecodeSession(model, sequences);
  }
}

function own(workspace: Workspace): CpuWorkspace {
  if (workspace instanceof CpuWorkspace) return workspace;
  throw new Error("This is the workspace of another backend.");
}

/** @param isForward or backward, when the masks are there already */
function sequenceArrays(layer: RnnLayer, work: CpuWorkspace, isForward: boolean): SequenceArrays {
  const { input, embedding } = layer;
  const maskOf = (name: string, mask: Mask | undefined) => maskArray(mask, name, work, isForward);
  return {
    input: input instanceof Int32Array ? input : numbersOf(input),
    embedding: embedding && numbersOf(embedding),
    inputMask: maskOf("input mask", layer.inputMask),
    weightIh: numbersOf(layer.weightIh),
    weightHh: numbersOf(layer.weightHh),
    weightMask: maskOf("weight mask", layer.weightMask),
    biasIh: numbersOf(layer.biasIh),
    biasHh: numbersOf(layer.biasHh),
    hidden: layer.hidden,
    stateMask: maskOf("state mask", layer.stateMask),
    cellState: layer.cellState,
  };
}

function loss(decoder: Decoder, gradients: DecoderGradients | undefined, workspace: Workspace) {
  return stoppable(() => {
    const work = own(workspace);
    const { targets } = decoder;
    const arrays = {
      input: numbersOf(decoder.input),
      inputMask: maskArray(decoder.inputMask, "input mask", work, true),
      weight: numbersOf(decoder.weight),
      bias: numbersOf(decoder.bias),
      targets,
      gradientWeight: gradients && arrayOf(gradients.gradientWeight),
      gradientBias: gradients && arrayOf(gradients.gradientBias),
    };
    const outputs = {
      losses: new Float32Array(targets.length),
      predictions: new Int32Array(targets.length),
      ranks: new Int32Array(targets.length),
    };
    return { ...outputs, gradientInput: forwardAndBackwardLoss(arrays, outputs, work) };
  });
}

/** A mask's numbers, which are generated in the workspace where it is not given by them. */
function maskArray(
  mask: Mask | undefined,
  name: string,
  work: CpuWorkspace,
  isNew: boolean,
): Float32Array | undefined {
  if (mask === undefined || mask instanceof Float32Array) return mask;
  const numbers = work.floats(name, mask.length);
  if (isNew) fillDropoutMask(numbers, mask);
  return numbers;
}

function stepArrays({ parameters, gradients, average }: StepArrays) {
  return {
    parameters: arrayOf(parameters),
    gradients: arrayOf(gradients),
    average: average && arrayOf(average),
  };
}
