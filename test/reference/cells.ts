/**
 * What a recurrent layer is: the definition that the kernels of every backend are held to. Double precision,
 * one batch row, one time step and one gate at a time, in the order of the papers' equations. Forward only:
 * the tests take gradients as central differences of these functions (`helpers/central-differences.ts`), so
 * that there is no second derivation to get wrong.
 *
 * Arrays are row-major. `gates` is the number of a cell's gates times the hidden size, stacked in the order
 * in which each cell below names them.
 */
import type { CellName } from "#src/config/cells.js";

export type Cell = CellName;
export type Vector = Float64Array;

/** The state of one batch row, each `[hidden]`; the cell state is an LSTM's. */
interface State {
  readonly hidden: Vector;
  readonly cell?: Vector | undefined;
}

/**
 * One step of a cell.
 *
 * @param ax W_ih x + b_ih, `[gates]`
 * @param ah W_hh h + b_hh, `[gates]`
 */
type Step = (ax: Vector, ah: Vector, state: State) => State;

/**
 * Gated recurrent unit: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for
 * Statistical Machine Translation", 2014, section 2.3, equations 5 to 8; in the variant of PyTorch and
 * cuDNN, in which the reset gate multiplies the recurrent product instead of the state.
 */
const gru: Step = (ax, ah, { hidden: h }) => {
  const H = h.length;
  const hidden = h.map((previous, j) => {
    const r = sigmoid(ax[j] + ah[j]);
    const z = sigmoid(ax[H + j] + ah[H + j]);
    const n = Math.tanh(ax[2 * H + j] + r * ah[2 * H + j]);
    return (1 - z) * n + z * previous;
  });
  return { hidden };
};

/**
 * Long short-term memory: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, section 4, with the
 * forget gate of Gers, Schmidhuber and Cummins, "Learning to Forget", 2000, section 3; no peepholes.
 */
const lstm: Step = (ax, ah, state) => {
  const H = state.hidden.length;
  const a = ax.map((sum, k) => sum + ah[k]);
  const cell = (state.cell as Vector).map((previous, j) => {
    const i = sigmoid(a[j]);
    const f = sigmoid(a[H + j]);
    const g = Math.tanh(a[2 * H + j]);
    return f * previous + i * g;
  });
  const hidden = cell.map((c, j) => {
    const o = sigmoid(a[3 * H + j]);
    return o * Math.tanh(c);
  });
  return { hidden, cell };
};

/** Simple recurrent network: Elman, "Finding Structure in Time", 1990, with tanh. */
const rnn: Step = (ax, ah) => ({ hidden: ax.map((sum, j) => Math.tanh(sum + ah[j])) });

const STEPS: Readonly<Record<Cell, Step>> = { gru, lstm, rnn };
const GATES: Readonly<Record<Cell, number>> = { gru: 3, lstm: 4, rnn: 1 };

export interface LayerInputs {
  /** Tokens `[time, batch]`, or vectors `[time, batch, input]`. */
  readonly input: Int32Array | Vector;
  /** `[vocabulary, input]`: a token's vector is its row; without an embedding tokens are one-hot. */
  readonly embedding?: Vector | undefined;
  /** `[masks, input]`: batch row b has mask b mod masks, at every step. */
  readonly inputMask?: Vector | undefined;
  /** `[batch, hidden]`: before the first step. */
  readonly hidden: Vector;
  /** `[batch, hidden]`: before the first step, for an LSTM. */
  readonly cellState?: Vector | undefined;
  /** `[batch, hidden]`: multiplies what the recurrent weights see of the state, at every step. */
  readonly stateMask?: Vector | undefined;
  /** `[gates, input]` */
  readonly weightIh: Vector;
  /** `[gates, hidden]` */
  readonly weightHh: Vector;
  /** `[gates, hidden]`: multiplies the recurrent weights. */
  readonly weightMask?: Vector | undefined;
  /** `[gates]` */
  readonly biasIh: Vector;
  readonly biasHh: Vector;
}

export interface LayerOutputs {
  /** `[time, batch, hidden]` */
  readonly output: Vector;
  /** `[batch, hidden]`: after the last step. */
  readonly hidden: Vector;
  readonly cellState?: Vector;
}

/** One recurrent layer over a sequence. */
export function recurrentLayer(cell: Cell, inputs: LayerInputs): LayerOutputs {
  const { input, embedding, inputMask, stateMask, weightIh, biasIh, biasHh } = inputs;
  const inputSize = weightIh.length / biasIh.length;
  const hiddenSize = biasHh.length / GATES[cell];
  const batch = inputs.hidden.length / hiddenSize;
  const time = input.length / (input instanceof Int32Array ? batch : batch * inputSize);
  const weightHh = masked(inputs.weightHh, inputs.weightMask);

  const inputAt = (position: number): Vector => {
    if (!(input instanceof Int32Array)) return row(input, position, inputSize);
    return embedding
      ? row(embedding, input[position], inputSize)
      : oneHot(input[position], inputSize);
  };
  const inputMaskOf = (b: number): Vector | undefined =>
    inputMask && row(inputMask, b % (inputMask.length / inputSize), inputSize);

  let states = Array.from(
    { length: batch },
    (_, b): State => ({
      hidden: row(inputs.hidden, b, hiddenSize),
      cell: inputs.cellState && row(inputs.cellState, b, hiddenSize),
    }),
  );
  const outputs: Vector[] = [];
  for (let t = 0; t < time; t++) {
    states = states.map((state, b) => {
      const x = masked(inputAt(t * batch + b), inputMaskOf(b));
      const h = masked(state.hidden, stateMask && row(stateMask, b, hiddenSize));
      return STEPS[cell](affine(weightIh, biasIh, x), affine(weightHh, biasHh, h), state);
    });
    outputs.push(...states.map(({ hidden }) => hidden));
  }
  return {
    output: joined(outputs),
    hidden: joined(states.map(({ hidden }) => hidden)),
    ...(inputs.cellState && { cellState: joined(states.map((state) => state.cell as Vector)) }),
  };
}

/** W x + b, for W `[outputs, inputs]`. */
export function affine(weight: Vector, bias: Vector, x: Vector): Vector {
  const y = bias.slice();
  for (let o = 0, k = 0; o < y.length; o++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++, k++) sum += weight[k] * x[i];
    y[o] += sum;
  }
  return y;
}

/** Row `index` of a matrix with rows of `length`. */
export function row(matrix: Vector, index: number, length: number): Vector {
  return matrix.subarray(index * length, (index + 1) * length);
}

/** Dropout: each value times its mask's. */
export function masked(values: Vector, mask: Vector | undefined): Vector {
  return mask ? values.map((value, i) => value * mask[i]) : values;
}

export function joined(vectors: readonly Vector[]): Vector {
  const [{ length }] = vectors;
  const whole = new Float64Array(vectors.length * length);
  for (const [index, values] of vectors.entries()) whole.set(values, index * length);
  return whole;
}

function oneHot(token: number, length: number): Vector {
  const vector = new Float64Array(length);
  vector[token] = 1;
  return vector;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
