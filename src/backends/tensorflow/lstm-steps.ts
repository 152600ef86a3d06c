import type { Id, Operations } from "./operations.js";
import { type Recurrence, seenState } from "./recurrence.js";

/** What forward leaves for backward: of all steps, each `[time, batch, hidden]`. */
export interface LstmKept {
  readonly i: Id;
  readonly f: Id;
  readonly g: Id;
  readonly o: Id;
  readonly cells: Id;
  readonly tanhOfCells: Id;
}

export interface LstmWeights {
  /** `[hidden, gates]` */
  readonly weight: Id;
  /** `[gates]` */
  readonly bias: Id;
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

/**
 * The long short-term memory step by step, for what its one operation (see `lstm.ts`) can't do, or
 * does slowly.
 */
export const LSTM_STEPS: Recurrence<LstmWeights, LstmKept> = {
  prepare(ops, weightHh, biasHh) {
    return { weight: ops.transpose(weightHh), bias: biasHh };
  },

  forward(ops, gates, { hidden, cellState, mask }, { weight, bias }, { time }) {
    const ofInput = ops.unstack(ops.add(gates, bias), time);
    const steps: Step[] = [];
    for (let t = 0, h = hidden, c = cellState as Id; t < time; t++) {
      const step = ops.tidy((): Step => {
        const sums = ops.add(ofInput[t], ops.matMul(seenState(ops, h, mask), weight));
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
      kept: {
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
   * With a = dh and b = dc + dh o (1 - tanh(c) tanh(c)), the gradients by the hidden state and by the
   * cell after a step, those by the sums in its gates are multiples of b and a, element by element:
   *
   *     d i = b g i (1 - i)    d f = b c_before f (1 - f)    d g = b i (1 - g g)
   *     d o = a tanh(c) o (1 - o)                            d c_before = b f
   *
   * so the factors of all steps are made at once, and a step multiplies by them once.
   */
  backward(ops, weightHh, { time, batch, hiddenSize }, { gradients, state }, kept) {
    const { throughHidden, byGates, forgotten } = ops.tidy(() =>
      factors(ops, kept, state.cellState as Id, [time, batch, hiddenSize]),
    );
    const all: Id[] = [];
    let dh = gradients[time - 1];
    let dc: Id | undefined;
    for (let t = time - 1; t >= 0; t--) {
      const [afterHidden, afterCell] = [dh, dc];
      const by = ops.tidy(() => {
        const ofHidden = ops.multiply(afterHidden, throughHidden[t]);
        const cell = afterCell === undefined ? ofHidden : ops.add(ofHidden, afterCell);
        const stacked = ops.stack([cell, cell, cell, afterHidden], 1);
        const gates = ops.reshape(ops.multiply(stacked, byGates[t]), batch, 4 * hiddenSize);
        const hidden = seenState(ops, ops.matMul(gates, weightHh), state.mask);
        return {
          gates,
          hidden: t > 0 ? ops.add(hidden, gradients[t - 1]) : hidden,
          cell: ops.multiply(cell, forgotten[t]),
        };
      });
      all[t] = by.gates;
      dh = by.hidden;
      dc = by.cell;
    }
    const gates = ops.reshape(ops.stack(all), time * batch, 4 * hiddenSize);
    return { inputGates: gates, hiddenGates: gates, hidden: dh, cellState: dc as Id };
  },
};

/** The factors of the gradients, of each step. */
function factors(
  ops: Operations,
  { i, f, g, o, cells, tanhOfCells }: LstmKept,
  cellState: Id,
  [time, batch, hiddenSize]: readonly [number, number, number],
) {
  const before = ops.statesBefore(cells, cellState, time, [batch, hiddenSize]);
  const byGates = [
    ops.sigmoidGrad(i, g),
    ops.sigmoidGrad(f, before),
    ops.tanhGrad(g, i),
    ops.sigmoidGrad(o, tanhOfCells),
  ];
  return {
    throughHidden: ops.unstack(ops.tanhGrad(tanhOfCells, o), time),
    /** `[batch, 4, hidden]` */
    byGates: ops.unstack(ops.stack(byGates, 2), time),
    forgotten: ops.unstack(f, time),
  };
}
