import type { Id } from "./operations.js";
import { goBackInTime, type Recurrence } from "./recurrence.js";

/** What forward leaves for backward, of each step. */
interface Kept {
  /** Reset and update gates together, `[batch, 2 hidden]`. */
  readonly resetAndUpdate: Id[];
  readonly update: Id[];
  readonly new: Id[];
  /** What the new gate gets of the state before it is reset. */
  readonly newOfHidden: Id[];
}

/**
 * The gated recurrent unit, in PyTorch's form (see `reference/gru.ts`):
 *
 *     ax = W_ih x + b_ih    ah = W_hh h + b_hh
 *     r, z = sigmoid(ax + ah)    n = tanh(ax_n + r ah_n)    h' = n + z (h - n)
 */
export const GRU: Recurrence<Kept> = {
  forward(ops, { gates, hidden, weightHh, biasHh }, { time, hiddenSize }) {
    const sizes = [2 * hiddenSize, hiddenSize];
    const [ofResetAndUpdate, ofNew] = ops
      .splitInto(gates, sizes, 2)
      .map((some) => ops.unstack(some, time));
    const kept: Kept = { resetAndUpdate: [], update: [], new: [], newOfHidden: [] };
    const hiddens = [];
    let h = hidden;
    for (let t = 0; t < time; t++) {
      const ofHidden = ops.addBias(ops.product(h, weightHh, "right"), biasHh);
      const [rzOfHidden, nOfHidden] = ops.splitInto(ofHidden, sizes, 1);
      const rz = ops.sigmoid(ops.add(ofResetAndUpdate[t], rzOfHidden));
      const [r, z] = ops.split(rz, 2, 1);
      const n = ops.tanh(ops.add(ofNew[t], ops.multiply(r, nOfHidden)));
      h = ops.add(n, ops.multiply(z, ops.subtract(h, n)));
      hiddens.push(h);
      kept.resetAndUpdate.push(rz);
      kept.update.push(z);
      kept.new.push(n);
      kept.newOfHidden.push(nOfHidden);
    }
    return { hiddens, kept };
  },

  /**
   * All that a step's gates need is a multiple of the gradient by its state, element by element:
   *
   *     d ax_n = dh (1 - z) (1 - n n)    d ah_n = d ax_n r
   *     d r = d ax_n ah_n r (1 - r)      d z = dh (h - n) z (1 - z)
   *
   * so the factors of all steps are made at once, and a step multiplies by them once.
   */
  backward(ops, weightHh, { time, batch, hiddenSize }, steps, kept) {
    const [r, z] = ops.split(ops.stack(kept.resetAndUpdate), 2, 2);
    const n = ops.stack(kept.new);
    const before = ops.stack(steps.before);
    const byNew = ops.tanhGradient(n, ops.subtract(ops.constants.float(1), z));
    const byUpdate = ops.sigmoidGradient(z, ops.subtract(before, n));
    const byReset = ops.sigmoidGradient(r, ops.multiply(byNew, ops.stack(kept.newOfHidden)));
    const byNewOfHidden = ops.multiply(byNew, r);
    const byGates = (factors: Id[]) =>
      ops.reshape(ops.join(factors, 2), time, batch, 3, hiddenSize);
    const byHiddenGates = byGates([byReset, byUpdate, byNewOfHidden]);
    const byInputGates = byGates([byReset, byUpdate, byNew]);

    const factors = ops.unstack(byHiddenGates, time);
    const goBack = (dh: Id, t: number) => {
      const gradient = ops.multiply(ops.reshape(dh, batch, 1, hiddenSize), factors[t]);
      const ofGates = ops.product(ops.reshape(gradient, batch, 3 * hiddenSize), weightHh);
      return [ofGates, ops.multiply(dh, kept.update[t])];
    };
    const { all, first } = goBackInTime(ops, steps.gradients, goBack);
    const dh = ops.reshape(all, time, batch, 1, hiddenSize);
    const inRows = (by: Id) => ops.reshape(ops.multiply(dh, by), time * batch, 3 * hiddenSize);
    return {
      inputGates: inRows(byInputGates),
      hiddenGates: inRows(byHiddenGates),
      hidden: first,
    };
  },
};
