import type { BackwardStep, CellSteps, ForwardStep } from "./cell-steps.js";

/**
 * The simple recurrent network (Elman, "Finding Structure in Time", 1990):
 *
 *     h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
 *
 * Saved for backward: h'.
 */
export const tanhSteps: CellSteps = { savedSize: 1, gatesAreSums: true, forward, backward };

function forward(step: ForwardStep): void {
  const { batch, hiddenSize, inputGates: ax, hiddenGates: ah, saved, hidden } = step;
  for (let unit = 0; unit < batch * hiddenSize; unit++) {
    const h = Math.tanh(ax[unit] + ah[unit]);
    hidden[unit] = h;
    saved[unit] = h;
  }
}

function backward(step: BackwardStep): void {
  const { batch, hiddenSize, saved, gradientInputGates: da, gradientHidden } = step;
  for (let unit = 0; unit < batch * hiddenSize; unit++) {
    // h' = tanh(a)
    const h = saved[unit];
    da[unit] = gradientHidden[unit] * (1 - h * h);
    // h reaches h' by the gate alone.
    step.gradientPreviousHidden[unit] = 0;
  }
}
