import type { Id } from "./operations.js";
import { goBackInTime, type Recurrence } from "./recurrence.js";

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman, "Finding Structure in Time", 1990). */
export const TANH_RNN: Recurrence<{ hiddens: Id[] }> = {
  forward(ops, { gates, hidden, weightHh, biasHh }, { time }) {
    const ofInput = ops.unstack(ops.add(gates, biasHh), time);
    const hiddens: Id[] = [];
    for (let t = 0, h = hidden; t < time; t++) {
      h = ops.tanh(ops.add(ofInput[t], ops.product(h, weightHh, "right")));
      hiddens.push(h);
    }
    return { hiddens, kept: { hiddens } };
  },

  backward(ops, weightHh, { time, batch, hiddenSize }, steps, { hiddens }) {
    const ofGates: Id[] = [];
    const { first } = goBackInTime(ops, steps.gradients, (dh, t) => {
      ofGates[t] = ops.tanhGradient(hiddens[t], dh);
      return [ops.product(ofGates[t], weightHh)];
    });
    const gates = ops.reshape(ops.stack(ofGates), time * batch, hiddenSize);
    return { inputGates: gates, hiddenGates: gates, hidden: first };
  },
};
