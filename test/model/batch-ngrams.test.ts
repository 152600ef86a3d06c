import assert from "node:assert/strict";
import { test } from "node:test";
import { type ParameterArray, SPARSE_GROUP } from "#src/backends/backend.js";
import { numbersOf } from "#src/backends/plain-arrays.js";
import { modelConfig } from "#src/config/model.js";
import { embeddingCount } from "#src/config/parameters.js";
import { type Batch, nothingBefore } from "#src/data/batch.js";
import { BatchNgrams, NonzeroGradients } from "#src/model/batch-ngrams.js";
import type { DropoutMasks } from "#src/model/dropout.js";
import { parameterArray } from "#src/model/parameters.js";
import { ScratchArrays } from "#src/model/scratch-arrays.js";
import { Random } from "#src/random.js";
import { assertNear } from "../backends/conformance/comparisons.js";
import { Draw } from "../helpers/numbers.js";
import { wasmBackend } from "../helpers/wasm.js";

const CONFIG = modelConfig({
  ...{ cell: "gru", layers: 1, hiddenSize: 4, embeddingSize: 3, vocabularySize: 5 },
  ...{ ngramOrder: 3, ngramRows: 1_000 },
});
const [TIME, ROWS] = [60, 4];

function drawnBatch(): Batch {
  const inputs = new Draw(5).tokens(TIME * ROWS, 5);
  const before = nothingBefore(ROWS);
  return { inputs, targets: inputs, before, time: TIME, batch: ROWS, startsFresh: true };
}

/** Used by one batch after the other, as in training. */
const scratch = new ScratchArrays();

function ngramsOf(batch: Batch, parameters: ParameterArray, dropout?: DropoutMasks["ngrams"]) {
  const model = { backend: wasmBackend(), config: CONFIG, parameters };
  return new BatchNgrams(batch, model, scratch, dropout);
}

test("A batch has one vector for each different n-gram, at all of its positions", () => {
  const batch = drawnBatch();
  const ngrams = ngramsOf(batch, parameterArray(wasmBackend(), CONFIG));
  const indices = new Map<string, number>();
  for (const [at, token] of batch.inputs.entries()) {
    const ngram = [batch.inputs[at - 2 * ROWS], batch.inputs[at - ROWS], token].join();
    const known = indices.get(ngram) ?? indices.size;
    indices.set(ngram, known);
    assert.equal(ngrams.inputs[at], known, ngram);
  }
  assert.ok(indices.size < batch.inputs.length);
  assert.equal(ngrams.embedding.length, 3 * indices.size);
});

test("Some vectors of n-grams are dropped, never those of characters, and the others are larger for it", () => {
  const parameters = parameterArray(wasmBackend(), CONFIG);
  const dropout = { rate: 0.4, random: Random.fromSeed(1) };
  const counts = [0, 0, 0, 0];
  // What is read where each table has another number alone.
  for (const [k, name] of ["encoder.weight", "ngram2.weight", "ngram3.weight"].entries()) {
    parameters.writeSlice(name, new Float32Array(parameters.of(name).length).fill(10 ** k));
  }
  const { embedding } = ngramsOf(drawnBatch(), parameters, dropout);
  const factor = 1 / 0.6;
  for (let at = 0; at < embedding.length; at += 3) {
    const which = [0, 10, 100, 110].findIndex((sum) => {
      return Math.abs(embedding[at] - 1 - factor * sum) < 1e-3;
    });
    counts[which]++;
  }
  const distinct = embedding.length / 3;
  const expected = [0.4 * 0.4, 0.6 * 0.4, 0.4 * 0.6, 0.6 * 0.6];
  for (const [which, count] of counts.entries()) {
    assert.ok(Math.abs(count / distinct - expected[which]) < 0.15, `${counts} of ${distinct}`);
  }
});

for (const dropout of [undefined, { rate: 0.4, random: Random.fromSeed(1) }]) {
  test(`The gradients of all tables are those of the sums${dropout ? " that dropout leaves" : ""}`, () => {
    const parameters = parameterArray(wasmBackend(), CONFIG);
    const gradients = parameterArray(wasmBackend(), CONFIG);
    const draw = new Draw(2);
    const names = ["encoder.weight", "ngram2.weight", "ngram3.weight"];
    for (const name of names) parameters.writeSlice(name, draw.floats(parameters.of(name).length));
    const ngrams = ngramsOf(drawnBatch(), parameters, dropout);
    const ofSums = draw.floats(ngrams.embedding.length);
    ngrams.spread(ofSums, wasmBackend(), gradients);
    // The sums are linear in the tables, so that both are what a small change of everything brings.
    const product = (a: Float32Array, b: Float32Array) =>
      a.reduce((sum, value, i) => sum + value * b[i], 0);
    const ofTables = names.map((name) =>
      product(numbersOf(gradients.of(name)), numbersOf(parameters.of(name))),
    );
    assertNear(
      [ofTables.reduce((sum, value) => sum + value, 0)],
      [product(ofSums, ngrams.embedding)],
      "change",
    );
  });
}

test("Gradients of embeddings are the same, batch after batch, where it is known which of them are zero", () => {
  const parameters = parameterArray(wasmBackend(), CONFIG);
  const [all, some] = [
    parameterArray(wasmBackend(), CONFIG),
    parameterArray(wasmBackend(), CONFIG),
  ];
  const nonzero = new NonzeroGradients(CONFIG, some);
  const draw = new Draw(6);
  for (const seed of [1, 2, 3]) {
    // Fewer characters each time, so that rows are left from before.
    const inputs = new Draw(seed).tokens(TIME * ROWS, 6 - seed);
    const batch = { ...drawnBatch(), inputs };
    const ngrams = ngramsOf(batch, parameters);
    const gradient = draw.floats(ngrams.embedding.length);
    ngrams.spread(gradient, wasmBackend(), all);
    ngrams.spread(gradient, wasmBackend(), some, nonzero);
    assert.deepEqual(some.read(), all.read());
    const embeddings = numbersOf(all.flat).subarray(0, embeddingCount(CONFIG));
    for (const [at, value] of embeddings.entries()) {
      const group = nonzero.groups.at(Math.floor(at / SPARSE_GROUP));
      if (value !== 0 && at < nonzero.groups.length * SPARSE_GROUP) assert.equal(group, 1);
    }
    assert.ok(seed < 3 || nonzero.groups.includes(0));
  }
});
