import assert from "node:assert/strict";
import type { Backend } from "#src/backends/backend.js";
import { CELL_NAMES, CELLS, type CellName } from "#src/config/cells.js";
import { type ModelConfig, modelConfig } from "#src/config/model.js";
import { ngramTables } from "#src/config/ngrams.js";
import {
  type Batch,
  CHARACTERS_BEFORE,
  NOTHING_BEFORE,
  nothingBefore,
  tokensBeforeNext,
} from "#src/data/batch.js";
import type { ModelState } from "#src/model/char-rnn.js";
import { parameterArray } from "#src/model/parameters.js";
import { Random } from "#src/random.js";
import { gradient } from "../helpers/central-differences.js";
import { weightsOf } from "../helpers/defined-model.js";
import { initialModel, scratchBytes } from "../helpers/models.js";
import { assertClose, assertSameBytes, Draw, numbersOf } from "../helpers/numbers.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";
import { muchDropped } from "../helpers/small-training.js";
import { dropoutMask } from "../reference/dropout.js";
import {
  crossEntropy,
  model as definedModel,
  type ModelMasks,
  meanLoss,
} from "../reference/model.js";

const RATES = { dropout: 0.25, inputDropout: 0.2, recurrentDropout: 0.1, weightDropout: 0.3 };
const LAYERS = 3;
const HIDDEN = 6;
const VOCABULARY = 9;
const TIME = 5;
const BATCH = 2;

/** Relative and absolute, for three layers in single precision. */
const TOLERANCE = 1e-5;

for (const [what, cell, ngramRows] of [
  ...CELL_NAMES.map((cell) => [`${cell} cells`, cell, undefined] as const),
  ["gru cells with embeddings of pairs, and hashed ones of three characters", "gru", 150],
  ["gru cells with embeddings of n-grams that share few rows", "gru", 7],
] as const) {
  testOnEveryBackend(
    `a model of ${what} learns under the dropout masks of its random numbers`,
    (backend) => {
      const { model, batch, state, exactState } = setUp(backend, cell, ngramRows);
      const dropout = { rates: RATES, random: Random.fromSeed(3) };
      const masks = masksOf(model.config, dropout.random);
      const weights = weightsOf(model);
      const defined = () => definedModel(cell, weights, batch, exactState, masks);
      const { logits, states } = defined();

      const gradients = parameterArray(backend, model.config);
      const { score, state: after } = model.lossAndGradients(batch, state, gradients, dropout);
      assertClose([score.loss], [sum(crossEntropy(logits, batch.targets))], TOLERANCE, "loss");
      assert.equal(score.characters, TIME * BATCH - 1);
      for (const [name, values] of weights) {
        const expected = gradient(() => meanLoss(defined().logits, batch.targets), values);
        assertClose(numbersOf(gradients.of(name)), expected, TOLERANCE, `gradient of ${name}`);
      }
      for (const [layer, { hidden }] of after.entries()) {
        const expected = states[layer].hidden;
        assertClose(hidden, expected, TOLERANCE, `state of layer ${layer}`);
      }
    },
  );

  testOnEveryBackend(`a model of ${what} scores without dropout`, (backend) => {
    const { model, batch, state, exactState } = setUp(backend, cell, ngramRows);
    const { logits } = definedModel(cell, weightsOf(model), batch, exactState);
    const { score } = model.score(batch, state);
    assertClose([score.loss], [sum(crossEntropy(logits, batch.targets))], TOLERANCE, "loss");
    const correct = [...batch.targets].filter((target, position) => {
      const scores = logits.subarray(position * VOCABULARY, (position + 1) * VOCABULARY);
      return scores.indexOf(Math.max(...scores)) === target;
    });
    assert.deepEqual([score.correct, score.characters], [correct.length, TIME * BATCH - 1]);
  });

  testOnEveryBackend(
    `a model of ${what} gives two halves of a text the score of the whole`,
    (backend) => {
      const { model, batch, state } = setUp(backend, cell, ngramRows);
      const whole = model.score(batch, state);
      const first = model.score(stepsOf(batch, 0, 2), state);
      const second = model.score(stepsOf(batch, 2, TIME), first.state);
      const loss = first.score.loss + second.score.loss;
      assertClose([loss], [whole.score.loss], 1e-12, "loss");
      assert.deepEqual(second.state, whole.state);
    },
  );

  testOnEveryBackend(`a model of ${what} reads a text as it scores it`, (backend) => {
    const { model, batch } = setUp(backend, cell, ngramRows);
    const fresh = { ...batch, before: nothingBefore(BATCH) };
    const scored = model.score(fresh, model.zeroState(BATCH));
    const session = model.openDecodeSession(BATCH);
    const logits = Array.from({ length: TIME }, (_, t) =>
      session.step(stepsOf(batch, t, t + 1).inputs).slice(),
    );
    session.dispose();
    const all = Float64Array.from(logits.flatMap((values) => [...values]));
    const loss = sum(crossEntropy(all, batch.targets));
    assertClose([loss], [scored.score.loss], TOLERANCE, "loss");
  });
}

testOnEveryBackend(
  "a model drops the same units for the same random numbers and others for others",
  (backend) => {
    const { model, batch, state } = setUp(backend, "gru");
    const gradientsWith = (seed: number) => {
      const gradients = parameterArray(backend, model.config);
      model.lossAndGradients(batch, state, gradients, muchDropped(seed));
      return numbersOf(gradients.flat);
    };
    const once = gradientsWith(1);
    assertSameBytes(gradientsWith(1), once, "the same random numbers");
    assert.notDeepEqual(gradientsWith(2), once);
  },
);

testOnEveryBackend(
  "a model is not disturbed by scoring and sampling between two steps of training",
  (backend) => {
    const { model, batch, state } = setUp(backend, "lstm");
    const learn = (from: ModelState) => {
      const gradients = parameterArray(backend, model.config);
      const { state: after } = model.lossAndGradients(batch, from, gradients, muchDropped(1));
      return { after, gradients: numbersOf(gradients.flat) };
    };
    const first = learn(state);
    const expected = learn(first.after);
    const weights = model.parameters.read().slice();

    const again = learn(state);
    const longer = { ...batch, inputs: new Int32Array(40), targets: new Int32Array(40) };
    model.score({ ...longer, time: 20 }, state);
    const session = model.openDecodeSession(3);
    session.step(Int32Array.of(1, 2, 3));
    session.dispose();
    assertSameBytes(model.parameters.read(), weights, "weights");
    const actual = learn(again.after);
    assertSameBytes(actual.gradients, expected.gradients, "gradients");
    assert.deepEqual(actual.after, expected.after);
  },
);

testOnEveryBackend(
  "a model holds no more scratch memory than its longest batch took",
  (backend) => {
    const { model, batch, state } = setUp(backend, "gru");
    const learn = (part: Batch) =>
      model.lossAndGradients(part, state, parameterArray(backend, model.config), muchDropped(1));
    learn(batch);
    const bytes = scratchBytes(model);
    for (let i = 0; i < 5; i++) learn(stepsOf(batch, 0, 2 + (i % 4)));
    assert.equal(scratchBytes(model), bytes);
  },
);

function setUp(backend: Backend, cell: CellName, ngramRows?: number) {
  const draw = new Draw(21);
  const config = modelConfig({
    cell,
    layers: LAYERS,
    hiddenSize: HIDDEN,
    embeddingSize: cell === "lstm" ? 0 : 4,
    ...(ngramRows && { ngramOrder: 3, ngramRows }),
    vocabularySize: VOCABULARY,
  });
  const model = initialModel(backend, config, Random.fromSeed(4));
  for (const { name, rows } of ngramTables(config)) {
    model.parameters.writeSlice(name, draw.floats(rows * config.embeddingSize));
  }
  const targets = draw.tokens(TIME * BATCH, VOCABULARY);
  targets[6] = -1;
  const inputs = draw.tokens(TIME * BATCH, VOCABULARY);
  const before = draw.tokens(CHARACTERS_BEFORE * BATCH, VOCABULARY);
  // The second text has one character before.
  for (let at = 1; at < before.length - BATCH; at += BATCH) before[at] = NOTHING_BEFORE;
  const batch: Batch = { inputs, targets, before, time: TIME, batch: BATCH, startsFresh: false };
  const exactState = Array.from({ length: LAYERS }, () => ({
    hidden: Float64Array.from(draw.floats(BATCH * HIDDEN)),
    ...(CELLS[cell].hasCellState && {
      cellState: Float64Array.from(draw.floats(BATCH * HIDDEN)),
    }),
  }));
  const state = exactState.map(({ hidden, cellState }) => ({
    hidden: Float32Array.from(hidden),
    ...(cellState && { cellState: Float32Array.from(cellState) }),
  }));
  return { model, batch, state, exactState };
}

/** The masks of a model's first window. */
function masksOf({ cell, embeddingSize }: ModelConfig, random: Random): ModelMasks {
  const { dropout, inputDropout, recurrentDropout, weightDropout } = RATES;
  const ofLayers = (length: number, rate: number, purpose: string) =>
    Array.from({ length: LAYERS }, (_, layer) =>
      dropoutMask(length, rate, random.fork(purpose, layer).key),
    );
  const gates = CELLS[cell].gates.length * HIDDEN;
  const inputSize = embeddingSize || VOCABULARY;
  return {
    input: dropoutMask(BATCH * inputSize, inputDropout, random.fork("input").key),
    outputs: ofLayers(BATCH * HIDDEN, dropout, "output"),
    states: ofLayers(BATCH * HIDDEN, recurrentDropout, "state"),
    weights: ofLayers(gates * HIDDEN, weightDropout, "weight"),
  };
}

/** Those steps of all rows of a batch. */
function stepsOf(batch: Batch, first: number, end: number): Batch {
  const cut = (tokens: Int32Array) => tokens.slice(first * BATCH, end * BATCH);
  const before = tokensBeforeNext({ ...batch, inputs: batch.inputs.subarray(0, first * BATCH) });
  return {
    ...batch,
    inputs: cut(batch.inputs),
    targets: cut(batch.targets),
    before,
    time: end - first,
  };
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
