import type { BackwardStep, CellSteps, ForwardStep } from "./cell-steps.js";
import { sigmoid } from "./sigmoid.js";

/**
 * The gated recurrent unit (Cho et al., "Learning Phrase Representations using RNN
 * Encoder-Decoder", 2014) in the variant of PyTorch, cuDNN and Keras, which resets after the
 * recurrent product:
 *
 *     ax = W_ih x + b_ih      ah = W_hh h + b_hh      gates in the order r, z, n
 *     r  = sigmoid(ax_r + ah_r)
 *     z  = sigmoid(ax_z + ah_z)
 *     n  = tanh(ax_n + r * ah_n)
 *     h' = n + z * (h - n)
 *
 * Saved for backward: r, z, n, ah_n.
 */
export const gruSteps: CellSteps = { savedSize: 4, gatesAreSums: false, forward, backward };

function forward(step: ForwardStep): void {
  const { batch, hiddenSize: H, inputGates: ax, hiddenGates: ah, saved, previousHidden } = step;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const gate = b * 3 * H + j;
      const r = sigmoid(ax[gate] + ah[gate]);
      const z = sigmoid(ax[gate + H] + ah[gate + H]);
      const n = Math.tanh(ax[gate + 2 * H] + r * ah[gate + 2 * H]);
      const h = previousHidden[b * H + j];
      step.hidden[b * H + j] = n + z * (h - n);
      const save = b * 4 * H + j;
      saved[save] = r;
      saved[save + H] = z;
      saved[save + 2 * H] = n;
      saved[save + 3 * H] = ah[gate + 2 * H];
    }
  }
}

function backward(step: BackwardStep): void {
  const { batch, hiddenSize: H, saved, previousHidden, gradientHidden } = step;
  const { gradientInputGates: dax, gradientHiddenGates: dah } = step;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const save = b * 4 * H + j;
      const r = saved[save];
      const z = saved[save + H];
      const n = saved[save + 2 * H];
      const ahN = saved[save + 3 * H];
      const h = previousHidden[b * H + j];
      const gate = b * 3 * H + j;
      // h' = n + z * (h - n)
      const dh = gradientHidden[b * H + j];
      const dn = dh * (1 - z);
      const dz = dh * (h - n);
      step.gradientPreviousHidden[b * H + j] = dh * z;
      // n = tanh(ax_n + r * ah_n)
      const dN = dn * (1 - n * n);
      dax[gate + 2 * H] = dN;
      dah[gate + 2 * H] = dN * r;
      // z = sigmoid(ax_z + ah_z)
      const dZ = dz * z * (1 - z);
      dax[gate + H] = dZ;
      dah[gate + H] = dZ;
      // r = sigmoid(ax_r + ah_r)
      const dR = dN * ahN * r * (1 - r);
      dax[gate] = dR;
      dah[gate] = dR;
    }
  }
}
