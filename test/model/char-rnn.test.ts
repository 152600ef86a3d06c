import assert from "node:assert/strict";
import { it } from "node:test";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { scoped } from "#src/backends/scope.js";
import { CELL_NAMES, CELLS, type CellName } from "#src/config/cells.js";
import { type ModelConfig, modelConfig } from "#src/config/model.js";
import type { Batch } from "#src/data/batch.js";
import { CharRnn, type ModelState } from "#src/model/char-rnn.js";
import { parameterArray, parameterViews } from "#src/model/parameters.js";
import { Random } from "#src/random.js";
import { numbersOf, onEveryBackend } from "../helpers/backends.js";
import { muchDropped } from "../helpers/learning.js";
import { assertClose, assertSameBytes, Draw } from "../helpers/numbers.js";
import { type TwinMasks, twinModel, twinPhilox } from "../helpers/slow-twin.js";

const RATES = { dropout: 0.25, inputDropout: 0.2, recurrentDropout: 0.1, weightDropout: 0.3 };
const LAYERS = 3;
const HIDDEN = 6;
const VOCABULARY = 9;
const TIME = 5;
const LANES = 2;

/** Relative and absolute, for three layers in single precision. */
const TOLERANCE = 1e-5;

await onEveryBackend("A model", () => {
  for (const cell of CELL_NAMES) {
    it(`of ${cell} cells learns under the dropout masks of its random numbers`, () => {
      scoped(() => {
        const { model, batch, state, stateNumbers } = setUp(cell);
        const dropout = { rates: RATES, random: Random.fromSeed(3) };
        const masks = twinMasks(model.config, dropout.random);
        const expected = twinModel(model.config, weightsOf(model), batch, stateNumbers, masks);
        const gradients = parameterArray(model.config);
        const { score, state: after } = model.learn(batch, state, gradients, dropout);
        assertClose([score.loss], [sum(expected.losses)], TOLERANCE, "loss");
        assert.equal(score.characters, TIME * LANES - 1);
        for (const [name, values] of expected.gradients) {
          assertClose(numbersOf(gradients.of(name)), values, TOLERANCE, `gradient of ${name}`);
        }
        for (const [layer, { hidden }] of after.entries()) {
          const values = expected.layers[layer].hidden;
          assertClose(numbersOf(hidden), values, TOLERANCE, `state of layer ${layer}`);
        }
      });
    });

    it(`of ${cell} cells scores without dropout`, () => {
      scoped(() => {
        const { model, batch, state, stateNumbers } = setUp(cell);
        const expected = twinModel(model.config, weightsOf(model), batch, stateNumbers);
        const { score } = model.score(batch, state);
        assertClose([score.loss], [sum(expected.losses)], TOLERANCE, "loss");
        const correct = [...batch.targets].filter((target, place) => {
          const scores = expected.logits.subarray(place * VOCABULARY, (place + 1) * VOCABULARY);
          return scores.indexOf(Math.max(...scores)) === target;
        });
        assert.deepEqual([score.correct, score.characters], [correct.length, TIME * LANES - 1]);
      });
    });

    it(`of ${cell} cells gives two halves of a text the score of the whole`, () => {
      scoped(() => {
        const { model, batch, state } = setUp(cell);
        const whole = model.score(batch, state);
        const first = model.score(stepsOf(batch, 0, 2), state);
        const second = model.score(stepsOf(batch, 2, TIME), first.state);
        const loss = first.score.loss + second.score.loss;
        assertClose([loss], [whole.score.loss], 1e-12, "loss");
        assertSameState(second.state, whole.state);
      });
    });

    it(`of ${cell} cells reads a text as it scores it`, () => {
      scoped(() => {
        const { model, batch } = setUp(cell);
        const scored = model.score(batch, model.zeroState(LANES));
        const streams = model.openStreams(LANES);
        let loss = 0;
        for (let t = 0; t < TIME; t++) {
          const values = streams.read(stepsOf(batch, t, t + 1).inputs);
          for (let lane = 0; lane < LANES; lane++) {
            const target = batch.targets[t * LANES + lane];
            const scores = values.subarray(lane * VOCABULARY, (lane + 1) * VOCABULARY);
            if (target >= 0) loss += Math.log(sum(scores.map(Math.exp))) - scores[target];
          }
        }
        streams.dispose();
        assertClose([loss], [scored.score.loss], TOLERANCE, "loss");
      });
    });
  }

  it("drops the same units for the same random numbers and others for others", () => {
    scoped(() => {
      const { model, batch, state } = setUp("gru");
      const gradientsWith = (seed: number) => {
        const gradients = parameterArray(model.config);
        model.learn(batch, state, gradients, muchDropped(seed));
        return numbersOf(gradients.flat);
      };
      const once = gradientsWith(1);
      assertSameBytes(gradientsWith(1), once, "the same random numbers");
      assert.notDeepEqual(gradientsWith(2), once);
    });
  });

  it("is not disturbed by scoring and sampling between two steps of training", () => {
    scoped(() => {
      const { model, batch, state } = setUp("lstm");
      const learn = (from: ModelState) => {
        const gradients = parameterArray(model.config);
        const { state: after } = model.learn(batch, from, gradients, muchDropped(1));
        return { after, gradients: numbersOf(gradients.flat) };
      };
      const first = learn(state);
      const expected = learn(first.after);
      const weights = model.parameters.read().slice();

      const again = learn(state);
      const longer = { ...batch, inputs: new Int32Array(40), targets: new Int32Array(40) };
      model.score({ ...longer, time: 20 }, state);
      const streams = model.openStreams(3);
      streams.read(Int32Array.of(1, 2, 3));
      streams.dispose();
      assertSameBytes(model.parameters.read(), weights, "weights");
      const actual = learn(again.after);
      assertSameBytes(actual.gradients, expected.gradients, "gradients");
      assertSameState(actual.after, expected.after);
    });
  });

  it("holds no more scratch memory than its longest batch took", () => {
    scoped(() => {
      const { model, batch, state } = setUp("gru");
      const learn = (part: Batch) =>
        model.learn(part, state, parameterArray(model.config), muchDropped(1));
      learn(batch);
      const { workspaceBytes } = model;
      for (let i = 0; i < 5; i++) learn(stepsOf(batch, 0, 2 + (i % 4)));
      assert.equal(model.workspaceBytes, workspaceBytes);
    });
  });
});

function setUp(cell: CellName) {
  const draw = new Draw(21);
  const config = modelConfig({
    cell,
    layers: LAYERS,
    hiddenSize: HIDDEN,
    embeddingSize: cell === "lstm" ? 0 : 4,
    vocabularySize: VOCABULARY,
  });
  const model = CharRnn.initial(config, Random.fromSeed(4));
  const targets = draw.tokens(TIME * LANES, VOCABULARY);
  targets[6] = -1;
  const inputs = draw.tokens(TIME * LANES, VOCABULARY);
  const batch: Batch = { inputs, targets, time: TIME, batch: LANES, startsFresh: false };
  const stateNumbers = Array.from({ length: LAYERS }, () => ({
    hidden: draw.floats(LANES * HIDDEN),
    ...(CELLS[cell].hasCellState && { cellState: draw.floats(LANES * HIDDEN) }),
  }));
  const ofLanes = (values: Float32Array) => tensor(values.slice(), [LANES, HIDDEN]);
  const state = stateNumbers.map(({ hidden, cellState }) => ({
    hidden: ofLanes(hidden),
    ...(cellState && { cellState: ofLanes(cellState) }),
  }));
  return { model, batch, state, stateNumbers };
}

function weightsOf(model: CharRnn): Map<string, Float32Array> {
  const views = parameterViews(model.config, model.parameters.read());
  return new Map([...views].map(([name, { data }]) => [name, data]));
}

/** The masks of a model's first window. */
function twinMasks({ cell, embeddingSize }: ModelConfig, random: Random): TwinMasks {
  const layers = Array.from({ length: LAYERS }, (_, layer) => layer);
  const { dropout, inputDropout, recurrentDropout, weightDropout } = RATES;
  const gates = CELLS[cell].gates.length * HIDDEN;
  const input = LANES * (embeddingSize || VOCABULARY);
  return {
    input: twinMask(input, inputDropout, random.fork("input").key),
    outputs: layers.map((layer) =>
      twinMask(LANES * HIDDEN, dropout, random.fork("output", layer).key),
    ),
    states: layers.map((layer) =>
      twinMask(LANES * HIDDEN, recurrentDropout, random.fork("state", layer).key),
    ),
    weights: layers.map((layer) =>
      twinMask(gates * HIDDEN, weightDropout, random.fork("weight", layer).key),
    ),
  };
}

function twinMask(length: number, rate: number, key: readonly number[]): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const word = twinPhilox([Math.floor(i / 4), 0, 0, 0], key)[i % 4];
    return word >= rate * 2 ** 32 ? 1 / (1 - rate) : 0;
  });
}

/** Those steps of all lanes of a batch. */
function stepsOf(batch: Batch, first: number, end: number): Batch {
  const cut = (tokens: Int32Array) => tokens.slice(first * LANES, end * LANES);
  return { ...batch, inputs: cut(batch.inputs), targets: cut(batch.targets), time: end - first };
}

function assertSameState(actual: ModelState, expected: ModelState): void {
  const numbers = (state: ModelState) =>
    state.flatMap((layer) => Object.values(layer).map((part: Tensor) => numbersOf(part)));
  assert.deepEqual(numbers(actual), numbers(expected));
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
