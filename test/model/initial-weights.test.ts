import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_NAMES, CELLS } from "#src/config/cells.js";
import { type ModelConfig, modelConfig } from "#src/config/model.js";
import { initialWeights, orthogonalMatrix } from "#src/model/initial-weights.js";
import { parameterViews } from "#src/model/parameters.js";
import { Random } from "#src/random.js";
import { atOnce } from "#src/turns.js";
import { assertClose, assertSameBytes } from "../helpers/numbers.js";

const SIZES = { layers: 2, hiddenSize: 13, embeddingSize: 5, vocabularySize: 31 };

for (const cell of CELL_NAMES) {
  const config = modelConfig({ cell, ...SIZES });
  const { gates } = CELLS[cell];

  test(`Initial weights have orthogonal recurrent matrices, one for each gate of a ${cell}`, () => {
    const weights = weightsByName(config, 1);
    for (let layer = 0; layer < config.layers; layer++) {
      const stacked = weights.get(`rnn.weight_hh_l${layer}`) as Float32Array;
      for (const [gate, name] of gates.entries()) {
        const matrix = stacked.subarray(gate * 13 * 13, (gate + 1) * 13 * 13);
        assertOrthogonal(matrix, 13, `layer ${layer}, ${name} gate`);
      }
    }
    const first = weights.get("rnn.weight_hh_l0") as Float32Array;
    const second = weights.get("rnn.weight_hh_l1") as Float32Array;
    assert.notDeepEqual(first, second);
    assert.notDeepEqual(first.slice(0, 169), second.slice(0, 169));
    if (gates.length > 1) assert.notDeepEqual(first.slice(0, 169), first.slice(169, 338));
  });

  test(`Initial weights fill the input matrices of a ${cell} up to Glorot's limit and not beyond`, () => {
    const weights = weightsByName(config, 2);
    const expectLimit = (name: string, inputs: number, outputs: number) =>
      assertUniform(weights.get(name) as Float32Array, Math.sqrt(6 / (inputs + outputs)), name);
    expectLimit("rnn.weight_ih_l0", 5, 13);
    expectLimit("rnn.weight_ih_l1", 13, 13);
    expectLimit("decoder.weight", 13, 31);
  });

  test(`Initial weights have biases of zero, but of one in an LSTM's forget gate (${cell})`, () => {
    const weights = weightsByName(config, 3);
    const zeros = new Float32Array(gates.length * 13);
    for (let layer = 0; layer < config.layers; layer++) {
      const expected = zeros.slice();
      // The second gate of four.
      if (cell === "lstm") expected.fill(1, 13, 26);
      assert.deepEqual(weights.get(`rnn.bias_ih_l${layer}`), expected);
      assert.deepEqual(weights.get(`rnn.bias_hh_l${layer}`), zeros);
    }
    assert.deepEqual(weights.get("decoder.bias"), new Float32Array(31));
  });
}

test("Initial weights begin with the frequencies of characters where they are known", () => {
  const config = modelConfig({ cell: "gru", ...SIZES, vocabularySize: 3 });
  const weights = atOnce(initialWeights(config, Random.fromSeed(1), Float64Array.of(6, 0, 2)));
  const bias = new Map(parameterViews(config, weights)).get("decoder.bias")?.data as Float32Array;
  assertClose(bias.map(Math.exp), [7 / 11, 1 / 11, 3 / 11], 1e-6, "frequencies");
});

test("Initial weights take the vocabulary's size as the input's where there is no embedding", () => {
  const config = modelConfig({ cell: "gru", ...SIZES, embeddingSize: 0 });
  const weights = weightsByName(config, 4);
  assert.equal(weights.has("encoder.weight"), false);
  const limit = Math.sqrt(6 / (31 + 13));
  assertUniform(weights.get("rnn.weight_ih_l0") as Float32Array, limit, "rnn.weight_ih_l0");
});

test("Initial weights draw embeddings from the standard normal distribution", () => {
  const config = modelConfig({
    cell: "rnn",
    ...SIZES,
    layers: 1,
    embeddingSize: 50,
    vocabularySize: 200,
  });
  const embedding = weightsByName(config, 5).get("encoder.weight") as Float32Array;
  // Five standard deviations of the mean and the variance of 10,000 normal numbers.
  assert.ok(Math.abs(mean(embedding)) < 0.05, `mean ${mean(embedding)}`);
  const variance = mean(embedding.map((value) => value ** 2));
  assert.ok(Math.abs(variance - 1) < 0.071, `variance ${variance}`);
});

test("Initial weights are the same bytes for the same random seed and others for another", () => {
  const config = modelConfig({ cell: "lstm", ...SIZES });
  const once = allWeights(config, 6);
  assertSameBytes(allWeights(config, 6), once, "the same seed");
  assert.notDeepEqual(allWeights(config, 7), once);
});

test("Initial weights of one layer do not depend on how many layers there are", () => {
  const two = weightsByName(modelConfig({ cell: "gru", ...SIZES }), 8);
  const three = weightsByName(modelConfig({ cell: "gru", ...SIZES, layers: 3 }), 8);
  for (const [name, values] of two) assert.deepEqual(three.get(name), values, name);
});

test("A random orthogonal matrix is orthogonal at any size", () => {
  const random = Random.fromSeed(9);
  for (const size of [1, 2, 3, 8, 64, 101]) {
    assertOrthogonal(atOnce(orthogonalMatrix(size, random)), size, `size ${size}`);
  }
});

test("A random orthogonal matrix has entries of mean 0 and variance 1/n at every position", () => {
  const size = 4;
  const draws = 4000;
  const random = Random.fromSeed(10);
  const sums = new Float64Array(size * size);
  const squares = new Float64Array(size * size);
  const fourths = new Float64Array(size * size);
  for (let draw = 0; draw < draws; draw++) {
    for (const [i, value] of atOnce(orthogonalMatrix(size, random)).entries()) {
      sums[i] += value / draws;
      squares[i] += value ** 2 / draws;
      fourths[i] += value ** 4 / draws;
    }
  }
  // In n dimensions a uniform direction's coordinates have E x^2 = 1/n, E x^4 = 3 / (n (n + 2)).
  const variance = 1 / size;
  const fourth = 3 / (size * (size + 2));
  const slack = 5 / Math.sqrt(draws);
  for (let i = 0; i < size * size; i++) {
    const place = `row ${Math.floor(i / size)}, column ${i % size}`;
    assert.ok(Math.abs(sums[i]) < slack * Math.sqrt(variance), `${place}: mean ${sums[i]}`);
    const spread = Math.sqrt(fourth - variance ** 2);
    assert.ok(Math.abs(squares[i] - variance) < slack * spread, `${place}: x^2 ${squares[i]}`);
    assert.ok(Math.abs(fourths[i] - fourth) < slack * 0.25, `${place}: x^4 ${fourths[i]}`);
  }
});

test("A random orthogonal matrix is distributed evenly over all rotations and reflections", () => {
  const draws = 4000;
  const random = Random.fromSeed(11);
  const octants = new Float64Array(8);
  let rotations = 0;
  for (let draw = 0; draw < draws; draw++) {
    const [a, b, c, d, e, f, g, h, i] = atOnce(orthogonalMatrix(3, random));
    octants[(a > 0 ? 1 : 0) + (b > 0 ? 2 : 0) + (c > 0 ? 4 : 0)]++;
    const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
    if (determinant > 0) rotations++;
  }
  // Chi-square with 7 degrees of freedom: above 30 once in ten thousand.
  const expected = draws / 8;
  const chiSquare = octants.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < 30, `first rows by octant: ${octants}`);
  assert.ok(Math.abs(rotations / draws - 0.5) < 2.5 / Math.sqrt(draws), `${rotations} rotations`);
});

function allWeights(config: ModelConfig, seed: number): Float32Array {
  return atOnce(initialWeights(config, Random.fromSeed(seed)));
}

function weightsByName(config: ModelConfig, seed: number): Map<string, Float32Array> {
  const views = parameterViews(config, allWeights(config, seed));
  return new Map([...views].map(([name, { data }]) => [name, data]));
}

function assertOrthogonal(matrix: Float32Array, size: number, what: string): void {
  assert.equal(matrix.length, size * size);
  for (let a = 0; a < size; a++) {
    const products = Array.from({ length: size }, (_, b) => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += matrix[a * size + i] * matrix[b * size + i];
      return sum;
    });
    const expected = Array.from({ length: size }, (_, b) => (a === b ? 1 : 0));
    assertClose(products, expected, 1e-6, `${what}: row ${a} times the others`);
  }
}

/** Uniform from -limit to limit, as far as a few hundred numbers can tell. */
function assertUniform(values: Float32Array, limit: number, what: string): void {
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  assert.ok(largest <= Math.fround(limit), `${what}: ${largest} is beyond ${limit}`);
  assert.ok(largest > 0.9 * limit, `${what}: ${largest} is far from ${limit}`);
  const spread = limit / Math.sqrt(3);
  const slack = 5 / Math.sqrt(values.length);
  assert.ok(Math.abs(mean(values)) < slack * spread, `${what}: mean ${mean(values)}`);
  const variance = mean(values.map((value) => value ** 2));
  assert.ok(Math.abs(variance / spread ** 2 - 1) < slack, `${what}: variance ${variance}`);
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
