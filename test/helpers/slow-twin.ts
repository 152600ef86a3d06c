/**
 * The kernels once more, as slow and as plain as their equations: double precision, one lane, one
 * step and one gate at a time. Only the forward equations are written down; gradients come from the
 * chain rule, applied to each operation that was made, last one first. Nothing here is shared with
 * the program.
 */
import type { CellName } from "#src/config/cells.js";
import type { LayerArrays, LayerGradients, LayerOutputs } from "./layer-cases.js";

type Numbers = Float32Array | Float64Array | Int32Array;

/** Some numbers and the gradient of the loss by each of them. */
interface Vector {
  readonly values: Float64Array;
  readonly gradient: Float64Array;
}

/** Makes vectors from vectors and can go back from their gradients to those it started from. */
class Tape {
  readonly #undo: (() => void)[] = [];

  /** Adds to the gradients of all vectors that the later ones were made from. */
  goBack(): void {
    for (const undo of this.#undo.reverse()) undo();
  }

  /** W x + b, for W `[b.length, x.length]`. */
  linear(weight: Vector, bias: Vector, x: Vector): Vector {
    const y = vector(bias.values);
    // Most of the time goes into these two loops, so they look up nothing twice.
    const { values: w, gradient: gradientW } = weight;
    const { values: from, gradient: gradientFrom } = x;
    const columns = from.length;
    for (let o = 0, at = 0; o < y.values.length; o++) {
      let sum = y.values[o];
      for (let i = 0; i < columns; i++, at++) sum += w[at] * from[i];
      y.values[o] = sum;
    }
    this.#undo.push(() => {
      for (let o = 0, at = 0; o < y.gradient.length; o++) {
        const gradient = y.gradient[o];
        bias.gradient[o] += gradient;
        for (let i = 0; i < columns; i++, at++) {
          gradientW[at] += gradient * from[i];
          gradientFrom[i] += gradient * w[at];
        }
      }
    });
    return y;
  }

  add(a: Vector, b: Vector): Vector {
    return this.#pairwise(a, b, {
      value: (x, y) => x + y,
      byFirst: () => 1,
      bySecond: () => 1,
    });
  }

  multiply(a: Vector, b: Vector): Vector {
    return this.#pairwise(a, b, {
      value: (x, y) => x * y,
      byFirst: (_, y) => y,
      bySecond: (x) => x,
    });
  }

  /** 1 - a */
  complement(a: Vector): Vector {
    const minusOnes = vector(new Float64Array(a.values.length).fill(-1));
    const ones = vector(new Float64Array(a.values.length).fill(1));
    return this.add(ones, this.multiply(minusOnes, a));
  }

  sigmoid(a: Vector): Vector {
    return this.#pairwise(a, a, {
      value: (x) => 1 / (1 + Math.exp(-x)),
      byFirst: (x) => Math.exp(-x) / (1 + Math.exp(-x)) ** 2,
      bySecond: () => 0,
    });
  }

  tanh(a: Vector): Vector {
    return this.#pairwise(a, a, {
      value: (x) => Math.tanh(x),
      byFirst: (x) => 1 / Math.cosh(x) ** 2,
      bySecond: () => 0,
    });
  }

  /** -log softmax(logits)[target], whose gradient counts `share` times in the loss. */
  crossEntropy(logits: Vector, target: number, share: number): number {
    const largest = Math.max(...logits.values);
    const powers = logits.values.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    this.#undo.push(() => {
      for (let c = 0; c < powers.length; c++) {
        logits.gradient[c] += share * (powers[c] / sum - (c === target ? 1 : 0));
      }
    });
    return Math.log(sum) - (logits.values[target] - largest);
  }

  #pairwise(
    a: Vector,
    b: Vector,
    rule: {
      value(x: number, y: number): number;
      byFirst(x: number, y: number): number;
      bySecond(x: number, y: number): number;
    },
  ): Vector {
    const result = vector(a.values.map((x, i) => rule.value(x, b.values[i])));
    this.#undo.push(() => {
      for (let i = 0; i < result.values.length; i++) {
        a.gradient[i] += result.gradient[i] * rule.byFirst(a.values[i], b.values[i]);
        b.gradient[i] += result.gradient[i] * rule.bySecond(a.values[i], b.values[i]);
      }
    });
    return result;
  }
}

function vector(values: Numbers): Vector {
  return { values: new Float64Array(values), gradient: new Float64Array(values.length) };
}

function oneHot(index: number, length: number): Vector {
  const values = new Float64Array(length);
  values[index] = 1;
  return vector(values);
}

/** Row `index` of a matrix, as a view: its gradient is part of the matrix's. */
function row(matrix: Vector, index: number, length: number): Vector {
  const start = index * length;
  return {
    values: matrix.values.subarray(start, start + length),
    gradient: matrix.gradient.subarray(start, start + length),
  };
}

interface LaneState {
  readonly hidden: Vector;
  readonly cell: Vector | undefined;
}

interface LayerWeights {
  readonly weightIh: Vector;
  readonly weightHh: Vector;
  readonly biasIh: Vector;
  readonly biasHh: Vector;
}

const GATES: Readonly<Record<CellName, number>> = { gru: 3, lstm: 4, rnn: 1 };

/** One step of one lane. */
function cellStep(
  tape: Tape,
  cell: CellName,
  weights: LayerWeights,
  x: Vector,
  state: LaneState,
  stateMask: Vector | undefined,
): LaneState {
  const { hidden: h, cell: c } = state;
  const H = h.values.length;
  const seen = stateMask ? tape.multiply(h, stateMask) : h;
  const fromInput = (gate: number) =>
    tape.linear(row(weights.weightIh, gate, H * x.values.length), row(weights.biasIh, gate, H), x);
  const fromHidden = (gate: number) =>
    tape.linear(row(weights.weightHh, gate, H * H), row(weights.biasHh, gate, H), seen);
  const gateSum = (gate: number) => tape.add(fromInput(gate), fromHidden(gate));
  switch (cell) {
    case "gru": {
      const r = tape.sigmoid(gateSum(0));
      const z = tape.sigmoid(gateSum(1));
      const n = tape.tanh(tape.add(fromInput(2), tape.multiply(r, fromHidden(2))));
      const hidden = tape.add(tape.multiply(tape.complement(z), n), tape.multiply(z, h));
      return { hidden, cell: undefined };
    }
    case "lstm": {
      const i = tape.sigmoid(gateSum(0));
      const f = tape.sigmoid(gateSum(1));
      const g = tape.tanh(gateSum(2));
      const o = tape.sigmoid(gateSum(3));
      const next = tape.add(tape.multiply(f, c as Vector), tape.multiply(i, g));
      return { hidden: tape.multiply(o, tape.tanh(next)), cell: next };
    }
    case "rnn":
      return { hidden: tape.tanh(gateSum(0)), cell: undefined };
  }
}

type LayerResult = LayerOutputs<Float64Array> & LayerGradients<Float64Array>;

/** One layer over a sequence, and the gradients of the sum of output times `gradientOutput`. */
export function twinLayer(
  sizes: { cell: CellName; time: number; batch: number; hiddenSize: number },
  inputs: LayerArrays<Numbers, Numbers>,
  gradientOutput: Numbers,
): LayerResult {
  const { cell, time, batch, hiddenSize } = sizes;
  const inputSize = inputs.weightIh.length / (GATES[cell] * hiddenSize);
  const tape = new Tape();
  const weightHh = vector(inputs.weightHh);
  const weights = {
    weightIh: vector(inputs.weightIh),
    weightHh: inputs.weightMask ? tape.multiply(weightHh, vector(inputs.weightMask)) : weightHh,
    biasIh: vector(inputs.biasIh),
    biasHh: vector(inputs.biasHh),
  };
  const embedding = inputs.embedding && vector(inputs.embedding);
  const vectors = inputs.input instanceof Int32Array ? undefined : vector(inputs.input);
  const mask = inputs.inputMask && vector(inputs.inputMask);
  const stateMask = inputs.stateMask && vector(inputs.stateMask);
  const masks = (mask?.values.length ?? 0) / inputSize;
  const vectorOf = (token: number): Vector =>
    embedding ? row(embedding, token, inputSize) : oneHot(token, inputSize);
  const inputAt = (place: number): Vector => {
    const x = vectors ? row(vectors, place, inputSize) : vectorOf(inputs.input[place]);
    const lane = place % batch;
    return mask ? tape.multiply(x, row(mask, lane % masks, inputSize)) : x;
  };
  const hidden = vector(inputs.hidden);
  const cellState = inputs.cellState && vector(inputs.cellState);
  let lanes: LaneState[] = Array.from({ length: batch }, (_, lane) => ({
    hidden: row(hidden, lane, hiddenSize),
    cell: cellState && row(cellState, lane, hiddenSize),
  }));
  const outputs: Vector[] = [];
  for (let t = 0; t < time; t++) {
    lanes = lanes.map((state, lane) =>
      cellStep(
        tape,
        cell,
        weights,
        inputAt(t * batch + lane),
        state,
        stateMask && row(stateMask, lane, hiddenSize),
      ),
    );
    outputs.push(...lanes.map((state) => state.hidden));
  }
  const gradients = vector(gradientOutput).values;
  for (const [place, { gradient }] of outputs.entries()) {
    gradient.set(gradients.subarray(place * hiddenSize, (place + 1) * hiddenSize));
  }
  tape.goBack();
  return {
    output: joined(outputs),
    hidden: joined(lanes.map((state) => state.hidden)),
    ...(cellState && { cellState: joined(lanes.map((state) => state.cell as Vector)) }),
    gradientWeightIh: weights.weightIh.gradient,
    gradientWeightHh: weightHh.gradient,
    gradientBiasIh: weights.biasIh.gradient,
    gradientBiasHh: weights.biasHh.gradient,
    gradientHidden: hidden.gradient,
    ...(cellState && { gradientCellState: cellState.gradient }),
    ...(embedding && { gradientEmbedding: embedding.gradient }),
    ...(vectors && { gradientInput: vectors.gradient }),
  };
}

interface LossResult {
  losses: Float64Array;
  /** `[places, vocabulary]` */
  logits: Float64Array;
  gradientInput: Float64Array;
  gradientWeight: Float64Array;
  gradientBias: Float64Array;
}

/** The decoder and its loss, and the gradients of the mean loss over the places with a target. */
export function twinLoss(inputs: {
  input: Numbers;
  /** `[lanes, hidden]`, the places being `[time, lanes]`. */
  inputMask?: Numbers;
  weight: Numbers;
  bias: Numbers;
  targets: Int32Array;
}): LossResult {
  const tape = new Tape();
  const input = vector(inputs.input);
  const mask = inputs.inputMask && vector(inputs.inputMask);
  const weight = vector(inputs.weight);
  const bias = vector(inputs.bias);
  const size = input.values.length / inputs.targets.length;
  const lanes = (mask?.values.length ?? 0) / size;
  const scored = inputs.targets.filter((target) => target >= 0).length;
  const logits: Vector[] = [];
  const losses = new Float64Array(inputs.targets.length);
  for (const [place, target] of inputs.targets.entries()) {
    const x = row(input, place, size);
    const masked = mask ? tape.multiply(x, row(mask, place % lanes, size)) : x;
    const scores = tape.linear(weight, bias, masked);
    if (target >= 0) losses[place] = tape.crossEntropy(scores, target, 1 / scored);
    logits.push(scores);
  }
  tape.goBack();
  return {
    losses,
    logits: joined(logits),
    gradientInput: input.gradient,
    gradientWeight: weight.gradient,
    gradientBias: bias.gradient,
  };
}

function joined(vectors: readonly Vector[]): Float64Array {
  const whole = new Float64Array(vectors.reduce((length, { values }) => length + values.length, 0));
  let end = 0;
  for (const { values } of vectors) {
    whole.set(values, end);
    end += values.length;
  }
  return whole;
}

interface ModelSizes {
  readonly cell: CellName;
  readonly layers: number;
  readonly hiddenSize: number;
}

/** The masks of dropout in a model. */
export interface TwinMasks {
  /** `[batch, input]` of the lowest layer. */
  readonly input: Numbers;
  /** `[batch, hidden]` of each layer. */
  readonly outputs: readonly Numbers[];
  readonly states: readonly Numbers[];
  /** `[gates, hidden]` of each layer. */
  readonly weights: readonly Numbers[];
}

/**
 * A whole model over a sequence, and the gradients of its mean loss by every parameter.
 *
 * @param parameters by PyTorch name
 */
export function twinModel(
  sizes: ModelSizes,
  parameters: ReadonlyMap<string, Numbers>,
  batch: { inputs: Int32Array; targets: Int32Array; time: number; batch: number },
  state: readonly { hidden: Numbers; cellState?: Numbers }[],
  masks?: TwinMasks,
) {
  const { cell, layers, hiddenSize } = sizes;
  const { time, batch: lanes } = batch;
  const get = (name: string) => parameters.get(name) as Numbers;
  const layerInputs: LayerArrays<Numbers, Numbers>[] = [];
  let input: Numbers = batch.inputs;
  const outputs: LayerResult[] = [];
  const layerSizes = { cell, time, batch: lanes, hiddenSize };
  const none = new Float64Array(time * lanes * hiddenSize);
  for (let layer = 0; layer < layers; layer++) {
    const inputs: LayerArrays<Numbers, Numbers> = {
      input,
      ...(layer === 0 && parameters.has("encoder.weight") && { embedding: get("encoder.weight") }),
      ...(masks && {
        inputMask: layer > 0 ? masks.outputs[layer - 1] : masks.input,
        stateMask: masks.states[layer],
        weightMask: masks.weights[layer],
      }),
      ...state[layer],
      weightIh: get(`rnn.weight_ih_l${layer}`),
      weightHh: get(`rnn.weight_hh_l${layer}`),
      biasIh: get(`rnn.bias_ih_l${layer}`),
      biasHh: get(`rnn.bias_hh_l${layer}`),
    };
    layerInputs.push(inputs);
    outputs.push(twinLayer(layerSizes, inputs, none));
    input = outputs[layer].output;
  }
  const loss = twinLoss({
    input,
    ...(masks && { inputMask: masks.outputs[layers - 1] }),
    weight: get("decoder.weight"),
    bias: get("decoder.bias"),
    targets: batch.targets,
  });
  const gradients = new Map<string, Float64Array>();
  let gradientOutput: Numbers = loss.gradientInput;
  for (let layer = layers - 1; layer >= 0; layer--) {
    const result = twinLayer(layerSizes, layerInputs[layer], gradientOutput);
    gradients.set(`rnn.weight_ih_l${layer}`, result.gradientWeightIh);
    gradients.set(`rnn.weight_hh_l${layer}`, result.gradientWeightHh);
    gradients.set(`rnn.bias_ih_l${layer}`, result.gradientBiasIh);
    gradients.set(`rnn.bias_hh_l${layer}`, result.gradientBiasHh);
    if (result.gradientEmbedding) gradients.set("encoder.weight", result.gradientEmbedding);
    gradientOutput = result.gradientInput ?? none;
  }
  gradients.set("decoder.weight", loss.gradientWeight);
  gradients.set("decoder.bias", loss.gradientBias);
  return { losses: loss.losses, logits: loss.logits, gradients, layers: outputs };
}

interface StepNumbers {
  learningRate: number;
  clipNorm: number;
  clipValue: number;
  weightDecay: number;
  averageDecay?: number;
}

interface StepArrays {
  parameters: Numbers;
  gradients: Numbers;
  average?: Numbers;
}

/**
 * What all optimizer steps do before and after their own: `change` gives for each parameter, with its
 * clipped gradient, what is taken from it.
 */
function twinStep(
  { parameters, gradients, average }: StepArrays,
  step: StepNumbers,
  change: (gradient: number, i: number) => number,
) {
  const norm = Math.sqrt([...gradients].reduce((sum, g) => sum + g * g, 0));
  const factor = step.clipNorm > 0 ? Math.min(1, step.clipNorm / (norm + 1e-6)) : 1;
  const most = step.clipValue || Number.POSITIVE_INFINITY;
  const updated = Float64Array.from(parameters, (p, i) => {
    const gradient = Math.min(Math.max(gradients[i] * factor, -most), most);
    return p - step.learningRate * step.weightDecay * p - change(gradient, i);
  });
  const kept = step.averageDecay ?? 0;
  return {
    norm,
    parameters: updated,
    ...(average && {
      average: updated.map((p, i) => kept * average[i] + (1 - kept) * p),
    }),
  };
}

/** Adam as in algorithm 1 of Kingma and Ba (2015), weights decayed as in Loshchilov and Hutter. */
export function twinAdam(
  inputs: StepArrays & { firstMoment: Numbers; secondMoment: Numbers },
  step: StepNumbers & { beta1: number; beta2: number; epsilon: number; step: number },
) {
  const firstMoment = Float64Array.from(inputs.firstMoment);
  const secondMoment = Float64Array.from(inputs.secondMoment);
  const result = twinStep(inputs, step, (g, i) => {
    firstMoment[i] = step.beta1 * firstMoment[i] + (1 - step.beta1) * g;
    secondMoment[i] = step.beta2 * secondMoment[i] + (1 - step.beta2) * g ** 2;
    const first = firstMoment[i] / (1 - step.beta1 ** step.step);
    const second = secondMoment[i] / (1 - step.beta2 ** step.step);
    return (step.learningRate * first) / (Math.sqrt(second) + step.epsilon);
  });
  return { ...result, firstMoment, secondMoment };
}

export function twinSgd(
  inputs: StepArrays & { moment: Numbers },
  step: StepNumbers & { momentum: number },
) {
  const moment = Float64Array.from(inputs.moment);
  const result = twinStep(inputs, step, (g, i) => {
    moment[i] = step.momentum * moment[i] + g;
    return step.learningRate * moment[i];
  });
  return { ...result, moment };
}

export function twinRmsProp(
  inputs: StepArrays & { moment: Numbers },
  step: StepNumbers & { decay: number; epsilon: number },
) {
  const moment = Float64Array.from(inputs.moment);
  const result = twinStep(inputs, step, (g, i) => {
    moment[i] = step.decay * moment[i] + (1 - step.decay) * g ** 2;
    return (step.learningRate * g) / (Math.sqrt(moment[i]) + step.epsilon);
  });
  return { ...result, moment };
}

/** Philox4x32-10, in integers of any length. */
export function twinPhilox(counter: readonly number[], key: readonly number[]): number[] {
  const word = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * c0;
    const second = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [
      (second >> 32n) ^ c1 ^ k0,
      second & word,
      (first >> 32n) ^ c3 ^ k1,
      first & word,
    ];
    k0 = (k0 + 0x9e3779b9n) & word;
    k1 = (k1 + 0xbb67ae85n) & word;
  }
  return [c0, c1, c2, c3].map(Number);
}
