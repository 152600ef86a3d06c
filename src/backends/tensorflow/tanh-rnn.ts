import type { Id } from "./operations.js";
import { backThroughTime, type Recurrence } from "./step-by-step.js";
import { masked } from "./tensors.js";

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
        const ofState = ops.matMul(masked(ops, before, mask), weight);
        return ops.tanh(ops.add(ofInput[t], ofState));
      });
      hiddens.push(h);
    }
    return { hiddens, saved: { hiddens } };
  },

  backward(ops, weightHh, { time, batch, hiddenSize }, steps, { hiddens }) {
    const { all, first } = backThroughTime(ops, steps.gradients, (dh, t) => [
      masked(ops, ops.matMul(ops.tanhGrad(hiddens[t], dh), weightHh), steps.state.mask),
    ]);
    const gradientGates = ops.tanhGrad(ops.stack(hiddens), all);
    const gates = ops.reshape(gradientGates, time * batch, hiddenSize);
    return { inputGates: gates, hiddenGates: gates, hidden: first };
  },
};
