import { bool } from "./binding.js";
import { asVectors, gradientOfVectors } from "./input.js";
import type { LayerMethod } from "./layer.js";
import type { Id, Operations } from "./operations.js";
import { type Recurrence, type StepByStep, stepByStep } from "./step-by-step.js";
import { masked } from "./tensors.js";

/** What forward saves for backward, each `[time, batch, hidden]`. */
interface Gates {
  readonly i: Id;
  readonly f: Id;
  readonly g: Id;
  readonly o: Id;
  readonly cells: Id;
  readonly tanhOfCells: Id;
}

interface Step {
  readonly i: Id;
  readonly f: Id;
  readonly g: Id;
  readonly o: Id;
  readonly cell: Id;
  readonly tanhOfCell: Id;
  readonly hidden: Id;
}

interface RecurrentWeights {
  /** `[hidden, gates]` */
  readonly weight: Id;
  /** `[gates]` */
  readonly bias: Id;
}

/** The long short-term memory, in PyTorch's form (see `native/rnn/lstm.h`). */
const LSTM: Recurrence<RecurrentWeights, Gates> = {
  prepare(ops, weightHh, biasHh) {
    return { weight: ops.transpose(weightHh), bias: biasHh };
  },

  forward(ops, gates, { hidden, cellState, mask }, { weight, bias }, { time }) {
    const ofInput = ops.unstack(ops.add(gates, bias), time);
    const steps: Step[] = [];
    for (let t = 0, h = hidden, c = cellState as Id; t < time; t++) {
      const step = ops.tidy((): Step => {
        const sums = ops.add(ofInput[t], ops.matMul(masked(ops, h, mask), weight));
        const [ai, af, ag, ao] = ops.split(sums, 4, 1);
        const [i, f, g, o] = [ops.sigmoid(ai), ops.sigmoid(af), ops.tanh(ag), ops.sigmoid(ao)];
        const cell = ops.add(ops.multiply(f, c), ops.multiply(i, g));
        const tanhOfCell = ops.tanh(cell);
        return { i, f, g, o, cell, tanhOfCell, hidden: ops.multiply(o, tanhOfCell) };
      });
      h = step.hidden;
      c = step.cell;
      steps.push(step);
    }
    const all = (name: keyof Step) => steps.map((step) => step[name]);
    const stacked = (name: keyof Step) => ops.stack(all(name));
    return {
      hiddens: all("hidden"),
      cells: all("cell"),
      saved: {
        i: stacked("i"),
        f: stacked("f"),
        g: stacked("g"),
        o: stacked("o"),
        cells: stacked("cell"),
        tanhOfCells: stacked("tanhOfCell"),
      },
    };
  },

  /**
   * With a = dh and b = dc + dh o (1 - tanh(c) tanh(c)), the gradients with respect to the hidden and
   * the cell state after a step, those with respect to the gates before their activation are
   * multiples of b and a, element by element:
   *
   *     d i = b g i (1 - i)    d f = b c_before f (1 - f)    d g = b i (1 - g g)
   *     d o = a tanh(c) o (1 - o)                            d c_before = b f
   *
   * so the factors of all steps are computed at once, and a step multiplies by them once.
   */
  backward(ops, weightHh, { time, batch, hiddenSize }, { gradients, state }, saved) {
    const { ofHidden, ofGates, ofCell } = ops.tidy(() =>
      factors(ops, saved, state.cellState as Id, [time, batch, hiddenSize]),
    );
    const all: Id[] = [];
    let dh = gradients[time - 1];
    let dc: Id | undefined;
    for (let t = time - 1; t >= 0; t--) {
      const [a, dcAfter] = [dh, dc];
      const step = ops.tidy(() => {
        const throughHidden = ops.multiply(a, ofHidden[t]);
        const b = dcAfter === undefined ? throughHidden : ops.add(throughHidden, dcAfter);
        const stacked = ops.stack([b, b, b, a], 1);
        const gates = ops.reshape(ops.multiply(stacked, ofGates[t]), batch, 4 * hiddenSize);
        const hidden = masked(ops, ops.matMul(gates, weightHh), state.mask);
        return {
          gates,
          hidden: t > 0 ? ops.add(hidden, gradients[t - 1]) : hidden,
          cell: ops.multiply(b, ofCell[t]),
        };
      });
      all[t] = step.gates;
      dh = step.hidden;
      dc = step.cell;
    }
    const gates = ops.reshape(ops.stack(all), time * batch, 4 * hiddenSize);
    return { inputGates: gates, hiddenGates: gates, hidden: dh, cellState: dc as Id };
  },
};

/** The factors of the gradients, of each step. */
function factors(
  ops: Operations,
  { i, f, g, o, cells, tanhOfCells }: Gates,
  cellState: Id,
  [time, batch, hiddenSize]: readonly [number, number, number],
) {
  const before = ops.statesBefore(cells, cellState, time, [batch, hiddenSize]);
  const ofGates = [
    ops.sigmoidGrad(i, g),
    ops.sigmoidGrad(f, before),
    ops.tanhGrad(g, i),
    ops.sigmoidGrad(o, tanhOfCells),
  ];
  return {
    ofHidden: ops.unstack(ops.tanhGrad(tanhOfCells, o), time),
    /** `[batch, 4, hidden]` */
    ofGates: ops.unstack(ops.stack(ofGates, 2), time),
    ofCell: ops.unstack(f, time),
  };
}

/** Step by step, for what the one operation can't do, or does slowly. */
export const LSTM_BY_STEPS: StepByStep<RecurrentWeights, Gates> = stepByStep(LSTM);

const NO_PEEPHOLES = [bool("use_peephole", false)];

/**
 * From this many multiplications of a gate's state by its weights at a step, `batch * hidden * hidden`, backward
 * is faster step by step on a processor: the operation multiplies slowly there, but costs 10 microseconds a step
 * where step by step costs 100.
 */
const LARGE = 2 ** 18;

/** The weights as the operation takes them. */
interface OperationWeights {
  /** `[input + hidden, gates]` */
  readonly weight: Id;
  /** `[gates]` */
  readonly bias: Id;
  /** Zeros, `[hidden]`: no gate reads the cell. */
  readonly peephole: Id;
}

/** What the operation returns, each `[time, batch, hidden]`. */
type OperationOutputs = readonly [
  i: Id,
  cells: Id,
  f: Id,
  o: Id,
  g: Id,
  tanhOfCells: Id,
  output: Id,
];

/** By one operation of TensorFlow's forward and one backward; their order of gates is PyTorch's. */
export const LSTM_ONE_OPERATION: LayerMethod<
  OperationWeights,
  { readonly inputs: readonly Id[]; readonly outputs: OperationOutputs }
> = {
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
    const outputs = ops.executeMany("BlockLSTMV2", inputs, 7, NO_PEEPHOLES);
    const saved = { inputs, outputs: outputs as unknown as OperationOutputs };
    const [, cells, , , , , output] = saved.outputs;
    const last = (all: Id) => ops.lastStep(all, time, [batch, hiddenSize]);
    return { output, hidden: last(output), cellState: last(cells), saved };
  },

  backward(ops, weights, input, state, sizes, { inputs, outputs }, gradientOutput) {
    const isLarge = sizes.batch * sizes.hiddenSize ** 2 >= LARGE;
    if (isLarge && !ops.constants.onGpu) {
      const [i, cells, f, o, g, tanhOfCells, output] = outputs;
      const saved = { output, ofRecurrence: { i, f, g, o, cells, tanhOfCells } };
      return LSTM_BY_STEPS.backward(ops, weights, input, state, sizes, saved, gradientOutput);
    }
    const gradientCells = ops.execute("ZerosLike", [gradientOutput]);
    const gradients = ops.executeMany(
      "BlockLSTMGradV2",
      [...inputs, ...outputs, gradientCells, gradientOutput],
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
