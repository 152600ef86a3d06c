import type { Id } from "./operations.js";
import { type Recurrence, seenState } from "./recurrence.js";

/** What forward leaves for backward. */
interface Kept {
  readonly steps: readonly KeptStep[];
  /** The cells after each step. */
  readonly cells: readonly Id[];
}

interface KeptStep {
  readonly i: Id;
  readonly f: Id;
  readonly g: Id;
  readonly o: Id;
  readonly tanhOfCell: Id;
}

/**
 * The long short-term memory step by step, for what the one operation (see `lstm.ts`) can't do: a
 * mask on what the recurrent weights see of the state.
 */
export const LSTM_STEPS: Recurrence<{ weight: Id; bias: Id }, Kept> = {
  prepare(ops, weightHh, biasHh) {
    return { weight: ops.transpose(weightHh), bias: biasHh };
  },

  forward(ops, gates, { hidden, cellState, mask }, { weight, bias }, { time }) {
    const ofInput = ops.unstack(ops.add(gates, bias), time);
    const steps: KeptStep[] = [];
    const hiddens: Id[] = [];
    const cells: Id[] = [];
    for (let t = 0, h = hidden, c = cellState as Id; t < time; t++) {
      const made = ops.tidy(() => {
        const sums = ops.add(ofInput[t], ops.product(seenState(ops, h, mask), weight));
        const [ai, af, ag, ao] = ops.split(sums, 4, 1);
        const [i, f, g, o] = [ops.sigmoid(ai), ops.sigmoid(af), ops.tanh(ag), ops.sigmoid(ao)];
        const cell = ops.add(ops.multiply(f, c), ops.multiply(i, g));
        const tanhOfCell = ops.tanh(cell);
        return { after: ops.multiply(o, tanhOfCell), cell, kept: { i, f, g, o, tanhOfCell } };
      });
      h = made.after;
      c = made.cell;
      hiddens.push(h);
      cells.push(c);
      steps.push(made.kept);
    }
    return { hiddens, cells, kept: { steps, cells } };
  },

  backward(ops, weightHh, { hiddenSize }, { gradients, state }, { steps, cells }) {
    const before = (t: number) => (t > 0 ? cells[t - 1] : (state.cellState as Id));
    const byGates: Id[] = [];
    let dh = gradients[gradients.length - 1];
    let dc: Id | undefined;
    for (let t = steps.length - 1; t >= 0; t--) {
      const { i, f, g, o, tanhOfCell } = steps[t];
      const [afterHidden, afterCell] = [dh, dc];
      const by = ops.tidy(() => {
        const throughHidden = ops.tanhGradient(tanhOfCell, ops.multiply(afterHidden, o));
        const cell = afterCell === undefined ? throughHidden : ops.add(throughHidden, afterCell);
        const gates = ops.join(
          [
            ops.sigmoidGradient(i, ops.multiply(cell, g)),
            ops.sigmoidGradient(f, ops.multiply(cell, before(t))),
            ops.tanhGradient(g, ops.multiply(cell, i)),
            ops.sigmoidGradient(o, ops.multiply(afterHidden, tanhOfCell)),
          ],
          1,
        );
        const hidden = seenState(ops, ops.product(gates, weightHh), state.mask);
        return {
          gates,
          hidden: t > 0 ? ops.add(hidden, gradients[t - 1]) : hidden,
          cell: ops.multiply(cell, f),
        };
      });
      byGates[t] = by.gates;
      dh = by.hidden;
      dc = by.cell;
    }
    const gates = ops.reshape(ops.stack(byGates), -1, 4 * hiddenSize);
    return { inputGates: gates, hiddenGates: gates, hidden: dh, cellState: dc as Id };
  },
};
