import { bool } from "./binding.js";
import { asVectors, gradientOfVectors } from "./input.js";
import { LSTM_STEPS, type LstmKept, type LstmWeights } from "./lstm-steps.js";
import type { Id } from "./operations.js";
import type { SequenceLayer } from "./sequence-layer.js";
import { type LayerOfSteps, layerOfSteps } from "./steps.js";

const NO_PEEPHOLES = [bool("use_peephole", false)];

export const LSTM_BY_STEPS: LayerOfSteps<LstmWeights, LstmKept> = layerOfSteps(LSTM_STEPS);

/**
 * Products of a gate's state with its weights at a step, `batch * hidden * hidden`, from which on the
 * way back is shorter step by step on a processor: the operation multiplies slowly there, but costs 10
 * microseconds a step, and the steps 100.
 */
const LARGE = 2 ** 18;

/** The weights as the operation wants them. */
interface Prepared {
  /** `[input + hidden, gates]` */
  readonly weight: Id;
  /** `[gates]` */
  readonly bias: Id;
  /** Zeros, `[hidden]`: no gate sees the cell. */
  readonly peephole: Id;
}

/** All that the operation makes, each `[time, batch, hidden]`, in its order. */
type Made = readonly [i: Id, cells: Id, f: Id, o: Id, candidates: Id, tanhOfCells: Id, h: Id];

/** What the operation read, and what it made. */
interface Kept {
  readonly inputs: readonly Id[];
  readonly made: Made;
}

/**
 * The long short-term memory, in PyTorch's form (see `cpu/lstm.ts`), as one operation forward and
 * one backward. They want the gates in the order input, forget, cell, output, which is PyTorch's.
 */
export const LSTM: SequenceLayer<Prepared, Kept> = {
  prepare(ops, { weightIh, weightHh, biasIh, biasHh }, _readsTokens, hiddenSize) {
    return {
      weight: ops.transpose(ops.concat([weightIh, weightHh], 1)),
      bias: ops.add(biasIh, biasHh),
      peephole: ops.zeros(hiddenSize),
    };
  },

  forward(ops, { weight, bias, peephole }, input, { hidden, cellState }, sizes) {
    const { time, batch, hiddenSize } = sizes;
    const inputs = [
      ops.constants.long(time),
      asVectors(ops, input),
      cellState as Id,
      hidden,
      weight,
      peephole,
      peephole,
      peephole,
      bias,
    ];
    const made = ops.executeMany("BlockLSTMV2", inputs, 7, NO_PEEPHOLES) as unknown as Made;
    const [, cells, , , , , output] = made;
    const last = (all: Id) => ops.lastStep(all, time, [batch, hiddenSize]);
    return {
      output: ops.identity(output),
      hidden: last(output),
      cellState: last(cells),
      kept: { inputs, made },
    };
  },

  backward(ops, weights, input, state, sizes, { inputs, made }, gradientOutput) {
    const isLarge = sizes.batch * sizes.hiddenSize ** 2 >= LARGE;
    if (isLarge && !ops.constants.onGpu) {
      const [i, cells, f, o, g, tanhOfCells, output] = made;
      const kept = { output, ofRecurrence: { i, f, g, o, cells, tanhOfCells } };
      return LSTM_BY_STEPS.backward(ops, weights, input, state, sizes, kept, gradientOutput);
    }
    const byCells = ops.execute("ZerosLike", [gradientOutput]);
    const gradients = ops.executeMany(
      "BlockLSTMGradV2",
      [...inputs, ...made, byCells, gradientOutput],
      8,
      NO_PEEPHOLES,
    );
    const [vectors, cellState, hidden, weight, , , , bias] = gradients;
    const parts = [input.size, sizes.hiddenSize];
    const [weightIh, weightHh] = ops.splitV(ops.transpose(weight), parts, 1);
    return {
      ...gradientOfVectors(ops, input, vectors),
      weightIh,
      weightHh,
      biasIh: bias,
      biasHh: ops.identity(bias),
      hidden,
      cellState,
    };
  },
};
