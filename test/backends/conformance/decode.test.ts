/** Sessions of decoding: the whole model, one token of each sequence at a time. */

import assert from "node:assert/strict";
import type { Backend } from "#src/backends/backend.js";
import { CELL_NAMES, type CellName } from "#src/config/cells.js";
import { modelConfig } from "#src/config/model.js";
import { parameterCount } from "#src/config/parameters.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { weightsOf, zeroStates } from "../../helpers/defined-model.js";
import { assertSameBytes, type Draw } from "../../helpers/numbers.js";
import { testOnEveryBackend } from "../../helpers/on-every-backend.js";
import { model as definedModel } from "../../reference/model.js";
import { assertNear, assertSameNumbers, isAll } from "./comparisons.js";
import { type DecodeSizes, decodeSizes, describeModel, type ModelSizes } from "./decoding.js";

/** More tokens than fit the table of the input weights' products. */
const MANY_TOKENS: ModelSizes = {
  layers: 1,
  hiddenSize: 33,
  embeddingSize: 3,
  vocabularySize: 45_000,
};

function testDefinition(cell: CellName, { sequences, time, ...sizes }: DecodeSizes): void {
  testOnEveryBackend(
    `a session of ${sequences} sequences with ${describeModel(cell, sizes)}, gives the logits of the definition`,
    (backend, draw) =>
      void assertDefinition(randomModel(backend, cell, sizes, draw), sequences, time, draw),
  );
}

for (const cell of CELL_NAMES) {
  for (const sizes of decodeSizes(isAll)) testDefinition(cell, sizes);

  for (const embeddingSize of [0, 6]) {
    const sizes = { layers: 2, hiddenSize: 33, embeddingSize, vocabularySize: 20 };
    const models = `a model of ${cell} units with embedding ${embeddingSize}`;

    testOnEveryBackend(
      `${models} gives a sequence the same logits, no matter which others are read beside it`,
      (backend, draw) => {
        const model = randomModel(backend, cell, sizes, draw);
        const [sequences, time] = [17, 5];
        const tokens = draw.tokens(time * sequences, sizes.vocabularySize);
        const together = logitsOf(model, tokens, sequences);
        for (const [first, count] of [
          [16, 1],
          [4, 2],
          [3, 13],
        ]) {
          const isOwn = (sequence: number) => sequence >= first && sequence < first + count;
          const own = tokens.filter((_, i) => isOwn(i % sequences));
          const expected = together.filter((_, i) =>
            isOwn(Math.floor(i / sizes.vocabularySize) % sequences),
          );
          assertSameNumbers(
            backend,
            logitsOf(model, own, count),
            expected,
            `${count} of ${sequences}`,
          );
        }
        model.dispose();
      },
    );

    testOnEveryBackend(
      `${models} decodes with the weights that it has when a session is opened`,
      (backend, draw) => {
        const model = randomModel(backend, cell, sizes, draw);
        const before = assertDefinition(model, 2, 3, draw);
        const moved = model.parameters.read().map((weight) => 0.9 * weight - 0.01);
        model.parameters.write(moved);
        const after = assertDefinition(model, 2, 3, draw, before.tokens);
        assert.notDeepEqual(after.logits, before.logits);
        model.dispose();
      },
    );
  }

  testOnEveryBackend(
    `two sessions of a model of ${cell} units, open at once, do not disturb each other`,
    (backend, draw) => {
      const sizes = { layers: 2, hiddenSize: 7, embeddingSize: 0, vocabularySize: 9 };
      const model = randomModel(backend, cell, sizes, draw);
      const one = draw.tokens(6, 9);
      const four = draw.tokens(4 * 6, 9);
      const wide = model.openDecodeSession(4);
      let narrow = model.openDecodeSession(1);
      const logits: { one: number[]; four: number[] } = { one: [], four: [] };
      for (let t = 0; t < 6; t++) {
        logits.one.push(...narrow.step(one.slice(t, t + 1)));
        logits.four.push(...wide.step(four.slice(4 * t, 4 * t + 4)));
        // One is closed and opened again while the other goes on.
        if (t === 3) {
          narrow.dispose();
          narrow = model.openDecodeSession(1);
        }
      }
      narrow.dispose();
      wide.dispose();
      assertSameBytes(Float32Array.from(logits.four), logitsOf(model, four, 4), "of four");
      const start = logitsOf(model, one.slice(0, 4), 1);
      assertSameBytes(Float32Array.from(logits.one.slice(0, 4 * 9)), start, "of one");
      const again = logitsOf(model, one.slice(4), 1);
      assertSameBytes(Float32Array.from(logits.one.slice(4 * 9)), again, "of one, opened again");
      model.dispose();
    },
  );
}

for (const [sequences, sizes, ngrams] of [
  [1, { layers: 1, hiddenSize: 33, embeddingSize: 5, vocabularySize: 17 }, [2, 400]],
  [3, { layers: 2, hiddenSize: 16, embeddingSize: 16, vocabularySize: 3 }, [5, 100]],
  [2, { layers: 1, hiddenSize: 40, embeddingSize: 3, vocabularySize: 230 }, [3, 1_000]],
] as const) {
  const [ngramOrder, ngramRows] = ngrams;
  testOnEveryBackend(
    `a session of ${sequences} sequences with ${describeModel("gru", sizes)}, and n-grams up to ${ngramOrder} in at most ${ngramRows} rows, gives the logits of the definition`,
    (backend, draw) => {
      const model = randomModel(backend, "gru", { ...sizes, ngramOrder, ngramRows }, draw);
      assertDefinition(model, sequences, 7, draw);
      model.dispose();
    },
  );
}

for (const sequences of [1, 2]) {
  testOnEveryBackend(
    `a session of ${sequences} sequences with more tokens than a table is made for gives the logits of the definition`,
    (backend, draw) =>
      void assertDefinition(randomModel(backend, "lstm", MANY_TOKENS, draw), sequences, 2, draw),
  );
}

/** A model with random weights, none of its biases zero. */
function randomModel(backend: Backend, cell: CellName, sizes: ModelSizes, draw: Draw): CharRnn {
  const config = modelConfig({ cell, ...sizes });
  const model = new CharRnn(backend, config);
  const scale = 1.5 / Math.sqrt(sizes.hiddenSize);
  model.parameters.write(draw.floats(parameterCount(config), scale));
  return model;
}

/**
 * Opens a session and lets it read.
 *
 * @param tokens `[time, sequences]`
 * @returns the logits of all steps, `[time, sequences, vocabulary]`
 */
function logitsOf(model: CharRnn, tokens: Int32Array, sequences: number): Float32Array {
  const { vocabularySize } = model.config;
  const logits = new Float32Array(tokens.length * vocabularySize);
  const session = model.openDecodeSession(sequences);
  for (let first = 0; first < tokens.length; first += sequences) {
    logits.set(session.step(tokens.slice(first, first + sequences)), first * vocabularySize);
  }
  session.dispose();
  return logits;
}

function assertDefinition(
  model: CharRnn,
  sequences: number,
  time: number,
  draw: Draw,
  tokens = draw.tokens(time * sequences, model.config.vocabularySize),
) {
  const states = zeroStates(model.config, sequences);
  const expected = definedModel(model.config.cell, weightsOf(model), tokens, states);
  const logits = logitsOf(model, tokens, sequences);
  assertNear(logits, expected.logits, "logits");
  return { tokens, logits };
}
