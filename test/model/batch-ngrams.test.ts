import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { nothingBefore } from "#src/data/batch.js";
import { BatchNgrams } from "#src/model/batch-ngrams.js";
import { parameterArray } from "#src/model/parameters.js";
import { Draw } from "../helpers/numbers.js";
import { wasmBackend } from "../helpers/wasm.js";

test("A batch has one vector for each different n-gram, at all of its positions", () => {
  const config = modelConfig({
    ...{ cell: "gru", layers: 1, hiddenSize: 4, embeddingSize: 3, vocabularySize: 5 },
    ...{ ngramOrder: 3, ngramRows: 1_000 },
  });
  const parameters = parameterArray(wasmBackend(), config);
  const [time, batch] = [60, 4];
  const inputs = new Draw(5).tokens(time * batch, 5);
  const texts = { inputs, targets: inputs, before: nothingBefore(batch), time, batch };
  const ngrams = new BatchNgrams({ ...texts, startsFresh: true }, config, parameters);
  const indices = new Map<string, number>();
  for (let at = 0; at < inputs.length; at++) {
    const ngram = [inputs[at - 2 * batch], inputs[at - batch], inputs[at]].join();
    const known = indices.get(ngram) ?? indices.size;
    indices.set(ngram, known);
    assert.equal(ngrams.inputs[at], known, ngram);
  }
  assert.ok(indices.size < inputs.length);
  assert.equal(ngrams.embedding.length, 3 * indices.size);
});
