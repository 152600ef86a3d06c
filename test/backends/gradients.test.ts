/** The reference's gradients, in double precision, against what the loss does when numbers move. */
import { describe, it } from "node:test";
import { forwardAndBackwardLoss, type LossArrays } from "#src/backends/cpu/linear-cross-entropy.js";
import {
  backwardSequence,
  forwardSequence,
  type SequenceArrays,
  type SequenceGradientArrays,
} from "#src/backends/cpu/rnn-sequence.js";
import { CpuWorkspace } from "#src/backends/cpu/workspace.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { INPUT_KINDS, type LayerCase, layerCase } from "../helpers/layer-cases.js";
import { assertClose, Draw } from "../helpers/numbers.js";

/** The distance of central differences: their error is of the order of its square, 1e-10. */
const STEP = 1e-5;
const TOLERANCE = 1e-8;

describe("Gradients of the reference", () => {
  for (const cell of CELL_NAMES) {
    for (const [kind, recurrentDropout] of INPUT_KINDS.flatMap((kind) =>
      [false, true].map((masked) => [kind, masked] as const),
    )) {
      const masked = recurrentDropout ? ", with recurrent dropout," : "";
      it(`of a layer of ${cell} cells on ${kind} input${masked} are finite differences`, () => {
        const sizes = { time: 4, batch: 3, hiddenSize: 5, inputSize: 2, vocabulary: 7 };
        const layer = layerCase({ cell, kind, recurrentDropout, ...sizes }, new Draw(11));
        const arrays = inDoubles(layer.inputs) as unknown as SequenceArrays;
        const gradientOutput = Float64Array.from(layer.gradientOutput);
        const loss = () => weightedOutput(layer, arrays, gradientOutput);

        const analytic = layerGradients(layer, arrays, gradientOutput);
        const differences = Object.keys(analytic).map((name) => {
          const numbers = arrays[name as keyof SequenceArrays] as Float64Array;
          return [name, finiteDifferences(loss, numbers)] as const;
        });
        for (const [name, expected] of differences) {
          assertClose(analytic[name], expected, TOLERANCE, `gradient of ${name}`);
        }
      });
    }
  }

  for (const masked of [false, true]) {
    it(`of the decoder's mean loss${masked ? " under dropout" : ""} are finite differences`, () => {
      const draw = new Draw(12);
      // More places than are worked on at once.
      const places = 70;
      const [hiddenSize, vocabulary] = [3, 5];
      const targets = draw.tokens(places, vocabulary);
      targets.set([-1], 4);
      targets.set([-1, -1], 66);
      const arrays = inDoubles({
        input: draw.floats(places * hiddenSize),
        ...(masked && { inputMask: draw.mask(7 * hiddenSize) }),
        weight: draw.floats(vocabulary * hiddenSize, 2),
        bias: draw.floats(vocabulary),
        targets,
      }) as unknown as LossArrays;
      const scored = places - 3;
      const losses = new Float64Array(places);
      const outputs = {
        losses,
        predictions: new Int32Array(places),
        ranks: new Int32Array(places),
      };
      const meanLoss = () => {
        forwardAndBackwardLoss(arrays, outputs, new CpuWorkspace("double"));
        return losses.reduce((sum, loss) => sum + loss, 0) / scored;
      };

      const gradientWeight = new Float64Array(arrays.weight.length).fill(7);
      const gradientBias = new Float64Array(vocabulary).fill(7);
      const gradientInput = forwardAndBackwardLoss(
        { ...arrays, gradientWeight, gradientBias },
        outputs,
        new CpuWorkspace("double"),
      ) as Float64Array;
      const check = (name: "input" | "weight" | "bias", analytic: Float64Array) => {
        const expected = finiteDifferences(meanLoss, arrays[name] as Float64Array);
        assertClose(analytic, expected, TOLERANCE, `gradient of ${name}`);
      };
      check("input", gradientInput);
      check("weight", gradientWeight);
      check("bias", gradientBias);
    });
  }
});

/** A loss whose gradient by the layer's outputs is `gradientOutput`. */
function weightedOutput(
  layer: LayerCase,
  arrays: SequenceArrays,
  gradientOutput: Float64Array,
): number {
  const { hiddens } = forwardSequence(layer, arrays, new CpuWorkspace("double"));
  const output = hiddens.subarray(layer.batch * layer.hiddenSize);
  return gradientOutput.reduce((sum, gradient, i) => sum + gradient * output[i], 0);
}

/** The gradient by each array of a layer that has one, under the array's name. */
function layerGradients(
  layer: LayerCase,
  arrays: SequenceArrays,
  gradientOutput: Float64Array,
): Record<string, ArrayLike<number>> {
  const garbage = (like: ArrayLike<number>) => new Float64Array(like.length).fill(7);
  const withGradients: SequenceGradientArrays = {
    ...arrays,
    gradientOutput,
    gradientWeightIh: garbage(arrays.weightIh),
    gradientWeightHh: garbage(arrays.weightHh),
    gradientBiasIh: garbage(arrays.biasIh),
    gradientBiasHh: garbage(arrays.biasHh),
    gradientEmbedding: arrays.embedding && garbage(arrays.embedding),
  };
  const workspace = new CpuWorkspace("double");
  forwardSequence(layer, arrays, workspace);
  const { hidden, cell, input } = backwardSequence(layer, withGradients, workspace);
  return {
    weightIh: withGradients.gradientWeightIh,
    weightHh: withGradients.gradientWeightHh,
    biasIh: withGradients.gradientBiasIh,
    biasHh: withGradients.gradientBiasHh,
    hidden,
    ...(arrays.cellState && { cellState: cell }),
    ...(withGradients.gradientEmbedding && { embedding: withGradients.gradientEmbedding }),
    ...(input && { input }),
  };
}

/** How much `loss` changes with each of `numbers`. */
function finiteDifferences(loss: () => number, numbers: Float64Array): Float64Array {
  return Float64Array.from(numbers, (original, i) => {
    numbers[i] = original + STEP;
    const above = loss();
    numbers[i] = original - STEP;
    const below = loss();
    numbers[i] = original;
    return (above - below) / (2 * STEP);
  });
}

/** The same numbers in double precision; integers stay what they are. */
function inDoubles(arrays: object): Record<string, Float64Array | Int32Array> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => [
      name,
      values instanceof Int32Array ? values : Float64Array.from(values as Float32Array),
    ]),
  );
}
