import type { Id } from "./operations.js";
import { backThroughTime, type Recurrence } from "./step-by-step.js";
import { masked } from "./tensors.js";

interface Prepared {
  /** `[hidden, 3 hidden]` */
  readonly weight: Id;
  /** Of the reset and update gates, and of the new one. */
  readonly biasRz: Id;
  readonly biasN: Id;
}

/** What forward leaves for backward, of each step. */
interface SavedStep {
  readonly r: Id;
  readonly z: Id;
  readonly n: Id;
  /** ah_n */
  readonly nOfHidden: Id;
}

/**
 * The gated recurrent unit, in PyTorch's form (see `native/rnn/gru.h`):
 *
 *     ax = W_ih x + b_ih    ah = W_hh h + b_hh
 *     r, z = sigmoid(ax + ah)    n = tanh(ax_n + r ah_n)    h' = n + z (h - n)
 */
export const GRU: Recurrence<Prepared, SavedStep[]> = {
  prepare(ops, weightHh, biasHh, hiddenSize) {
    const [biasRz, biasN] = ops.splitV(biasHh, [2 * hiddenSize, hiddenSize], 0);
    return { weight: ops.transpose(weightHh), biasRz, biasN };
  },

  forward(ops, gates, { hidden, mask }, prepared, { time, hiddenSize }) {
    const { weight, biasRz, biasN } = prepared;
    const parts = [2 * hiddenSize, hiddenSize];
    const [ofRz, ofN] = ops.splitV(gates, parts, 2);
    const rzOfInput = ops.unstack(ops.add(ofRz, biasRz), time);
    const nOfInput = ops.unstack(ofN, time);
    const saved: SavedStep[] = [];
    const hiddens: Id[] = [];
    let h = hidden;
    for (let t = 0; t < time; t++) {
      const step = ops.tidy(() => {
        const ofHidden = ops.matMul(masked(ops, h, mask), weight);
        const [rzOfHidden, nOfState] = ops.splitV(ofHidden, parts, 1);
        const rz = ops.sigmoid(ops.add(rzOfInput[t], rzOfHidden));
        const [r, z] = ops.split(rz, 2, 1);
        const nOfHidden = ops.add(nOfState, biasN);
        const n = ops.tanh(ops.add(nOfInput[t], ops.multiply(r, nOfHidden)));
        const after = ops.add(n, ops.multiply(z, ops.subtract(h, n)));
        return { after, saved: { r, z, n, nOfHidden } };
      });
      h = step.after;
      hiddens.push(h);
      saved.push(step.saved);
    }
    return { hiddens, saved };
  },

  /**
   * The gradients with respect to the gates are multiples of that with respect to the state after the
   * step, element by element:
   *
   *     d ax_n = dh (1 - z) (1 - n n)    d ah_n = d ax_n r
   *     d r = d ax_n ah_n r (1 - r)      d z = dh (h - n) z (1 - z)
   *
   * so the factors of all steps are computed at once, and a step multiplies by them once.
   */
  backward(ops, weightHh, { time, batch, hiddenSize }, steps, saved) {
    const all = (name: keyof SavedStep) => ops.stack(saved.map((step) => step[name]));
    const asGates = (factors: Id[]) =>
      ops.reshape(ops.concat(factors, 2), time, batch, 3, hiddenSize);
    const { ofHiddenGates, ofInputGates } = ops.tidy(() => {
      const [r, z, n] = [all("r"), all("z"), all("n")];
      const ofNew = ops.tanhGrad(n, ops.subtract(ops.constants.float(1), z));
      const ofUpdate = ops.sigmoidGrad(z, ops.subtract(steps.before, n));
      const ofReset = ops.sigmoidGrad(r, ops.multiply(ofNew, all("nOfHidden")));
      return {
        ofHiddenGates: asGates([ofReset, ofUpdate, ops.multiply(ofNew, r)]),
        ofInputGates: asGates([ofReset, ofUpdate, ofNew]),
      };
    });

    const factors = ops.unstack(ofHiddenGates, time);
    const stepBack = (dh: Id, t: number) => {
      const gradient = ops.multiply(ops.reshape(dh, batch, 1, hiddenSize), factors[t]);
      const ofGates = ops.matMul(ops.reshape(gradient, batch, 3 * hiddenSize), weightHh);
      return [masked(ops, ofGates, steps.state.mask), ops.multiply(dh, saved[t].z)];
    };
    const { all: gradients, first } = backThroughTime(ops, steps.gradients, stepBack);
    const dh = ops.reshape(gradients, time, batch, 1, hiddenSize);
    const inRows = (factors: Id) =>
      ops.reshape(ops.multiply(dh, factors), time * batch, 3 * hiddenSize);
    return {
      inputGates: inRows(ofInputGates),
      hiddenGates: inRows(ofHiddenGates),
      hidden: first,
    };
  },
};
