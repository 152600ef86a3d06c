import type { BackwardStep, CellSteps, ForwardStep } from "./cell-steps.js";
import { sigmoid } from "./sigmoid.js";

/**
 * Long short-term memory (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers et al.,
 * 2000), as PyTorch has it, without peepholes:
 *
 *     a  = W_ih x + b_ih + W_hh h + b_hh      gates in the order i, f, g, o
 *     i  = sigmoid(a_i)     f = sigmoid(a_f)     g = tanh(a_g)     o = sigmoid(a_o)
 *     c' = f * c + i * g
 *     h' = o * tanh(c')
 *
 * Saved for backward: i, f, g, o.
 */
export const lstmSteps: CellSteps = { savedSize: 4, gatesAreSums: true, forward, backward };

function forward(step: ForwardStep): void {
  const { batch, hiddenSize: H, inputGates: ax, hiddenGates: ah, saved } = step;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const gate = b * 4 * H + j;
      const i = sigmoid(ax[gate] + ah[gate]);
      const f = sigmoid(ax[gate + H] + ah[gate + H]);
      const g = Math.tanh(ax[gate + 2 * H] + ah[gate + 2 * H]);
      const o = sigmoid(ax[gate + 3 * H] + ah[gate + 3 * H]);
      const c = f * step.previousCell[b * H + j] + i * g;
      step.cell[b * H + j] = c;
      step.hidden[b * H + j] = o * Math.tanh(c);
      saved[gate] = i;
      saved[gate + H] = f;
      saved[gate + 2 * H] = g;
      saved[gate + 3 * H] = o;
    }
  }
}

function backward(step: BackwardStep): void {
  const { batch, hiddenSize: H, saved, gradientInputGates: da, gradientCell } = step;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const gate = b * 4 * H + j;
      const unit = b * H + j;
      const i = saved[gate];
      const f = saved[gate + H];
      const g = saved[gate + 2 * H];
      const o = saved[gate + 3 * H];
      // h' = o * tanh(c')
      const dh = step.gradientHidden[unit];
      const tanhC = Math.tanh(step.cell[unit]);
      const dc = gradientCell[unit] + dh * o * (1 - tanhC * tanhC);
      da[gate + 3 * H] = dh * tanhC * o * (1 - o);
      // c' = f * c + i * g
      da[gate] = dc * g * i * (1 - i);
      da[gate + H] = dc * step.previousCell[unit] * f * (1 - f);
      da[gate + 2 * H] = dc * i * (1 - g * g);
      gradientCell[unit] = dc * f;
      // h reaches h' by the gates alone.
      step.gradientPreviousHidden[unit] = 0;
    }
  }
}
