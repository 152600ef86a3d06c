import { CELLS } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";
import { parameterCount } from "../config/parameters.js";
import type { Random } from "../random.js";
import type { Parts } from "../turns.js";
import { parameterViews } from "./parameters.js";

/** Random numbers that are drawn between two stops. */
const NUMBERS_IN_PART = 1 << 15;

/**
 * The weights a model starts from, `[parameters]`: input and decoder weights uniform after
 * Glorot and Bengio ("Understanding the difficulty of training deep feedforward neural networks",
 * 2010, equation 16), each gate by itself; recurrent weights orthogonal, each gate by itself (Saxe
 * et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
 * 2014); embeddings standard normal; biases 0, but an LSTM's forget gate 1. For a large model they take
 * seconds.
 *
 * @param counts how often each character occurs in the text to learn: the decoder's biases are then the
 *   logarithms of their frequencies (each counted once more, so that none is 0), which thousands of
 *   characters take long to learn
 */
export function* initialWeights(
  config: ModelConfig,
  random: Random,
  counts?: Float64Array,
): Parts<Float32Array> {
  const { hiddenSize } = config;
  const values = new Float32Array(parameterCount(config));
  const cell = CELLS[config.cell];
  for (const [name, { shape, data }] of parameterViews(config, values)) {
    const stream = random.fork("initial weights", name);
    yield;
    if (name === "encoder.weight") {
      for (let i = 0; i < data.length; i++) {
        data[i] = stream.normal();
        if (i % NUMBERS_IN_PART === 0) yield;
      }
    } else if (name === "decoder.weight") {
      yield* fillGlorot(data, shape[1], shape[0], stream);
    } else if (name.startsWith("rnn.weight_ih")) {
      yield* fillGlorot(data, shape[1], hiddenSize, stream);
    } else if (name.startsWith("rnn.weight_hh")) {
      const gateSize = hiddenSize * hiddenSize;
      for (let gate = 0; gate < cell.gates.length; gate++) {
        data.set(yield* orthogonalMatrix(hiddenSize, stream), gate * gateSize);
      }
    } else if (name.startsWith("rnn.bias_ih")) {
      for (const [gate, bias] of Object.entries(cell.initialBias)) {
        const start = cell.gates.indexOf(gate) * hiddenSize;
        data.fill(bias, start, start + hiddenSize);
      }
    } else if (name === "decoder.bias" && counts) {
      const total = counts.reduce((sum, count) => sum + count + 1, 0);
      for (const [index, count] of counts.entries()) data[index] = Math.log((count + 1) / total);
    }
  }
  return values;
}

function* fillGlorot(
  data: Float32Array,
  inputs: number,
  outputs: number,
  random: Random,
): Parts<void> {
  const limit = Math.sqrt(6 / (inputs + outputs));
  for (let i = 0; i < data.length; i++) {
    data[i] = (2 * random.uniform() - 1) * limit;
    if (i % NUMBERS_IN_PART === 0) yield;
  }
}

/**
 * A random orthogonal matrix `[size, size]`, each as likely as any other: a product of random
 * Householder reflections, the k-th in a space of k dimensions (Stewart, "The Efficient Generation
 * of Random Orthogonal Matrices", 1980, section 3).
 */
export function* orthogonalMatrix(size: number, random: Random): Parts<Float32Array> {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = random.uniform() < 0.5 ? -1 : 1;
  for (let dimensions = 2; dimensions <= size; dimensions++) {
    reflect(matrix, size, size - dimensions, randomMirror(dimensions, random));
    yield;
  }
  return Float32Array.from(matrix);
}

/** The normal of a mirror that turns the first axis into a random direction. */
function randomMirror(dimensions: number, random: Random): Float64Array {
  const normal = Float64Array.from({ length: dimensions }, () => random.normal());
  normal[0] += Math.sign(normal[0]) * lengthOf(normal);
  const length = lengthOf(normal);
  return normal.map((value) => value / length);
}

function lengthOf(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

/** Mirrors the rows of the block from (`start`, `start`) to the end in the plane with the normal `v`. */
function reflect(matrix: Float64Array, size: number, start: number, v: Float64Array): void {
  for (let row = start; row < size; row++) {
    const first = row * size + start;
    let even = 0;
    let odd = 0;
    const pairs = v.length & ~1;
    for (let i = 0; i < pairs; i += 2) {
      even += matrix[first + i] * v[i];
      odd += matrix[first + i + 1] * v[i + 1];
    }
    if (pairs < v.length) even += matrix[first + pairs] * v[pairs];
    const twice = 2 * (even + odd);
    for (let i = 0; i < v.length; i++) matrix[first + i] -= twice * v[i];
  }
}
