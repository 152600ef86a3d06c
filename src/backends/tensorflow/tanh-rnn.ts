import type { Id } from "./operations.js";
import { goBackInTime, type Recurrence, seenState } from "./recurrence.js";

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman, "Finding Structure in Time", 1990). */
export const TANH_RNN: Recurrence<{ weight: Id; bias: Id }, { hiddens: Id[] }> = {
  prepare(ops, weightHh, biasHh) {
    return { weight: ops.transpose(weightHh), bias: biasHh };
  },

  forward(ops, gates, { hidden, mask }, { weight, bias }, { time }) {
    const ofInput = ops.unstack(ops.add(gates, bias), time);
    const hiddens: Id[] = [];
    for (let t = 0, h = hidden; t < time; t++) {
      const before = h;
      h = ops.tidy(() => {
        const ofState = ops.matMul(seenState(ops, before, mask), weight);
        return ops.tanh(ops.add(ofInput[t], ofState));
      });
      hiddens.push(h);
    }
    return { hiddens, kept: { hiddens } };
  },

  backward(ops, weightHh, { time, batch, hiddenSize }, steps, { hiddens }) {
    const { all, first } = goBackInTime(ops, steps.gradients, (dh, t) => [
      seenState(ops, ops.matMul(ops.tanhGrad(hiddens[t], dh), weightHh), steps.state.mask),
    ]);
    const byGates = ops.tanhGrad(ops.stack(hiddens), all);
    const gates = ops.reshape(byGates, time * batch, hiddenSize);
    return { inputGates: gates, hiddenGates: gates, hidden: first };
  },
};
