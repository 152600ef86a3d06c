/** Training and decoding in all the ways in which kernels divide their work, and comparing what it gives. */
import assert from "node:assert/strict";
import type { Backend } from "#src/backends/backend.js";
import { type ModelConfig, modelConfig } from "#src/config/model.js";
import type { OptimizerName } from "#src/config/names.js";
import { nothingBefore } from "#src/data/batch.js";
import type { CharRnn } from "#src/model/char-rnn.js";
import { parameterArray } from "#src/model/parameters.js";
import { createOptimizer } from "#src/optimization/optimizer.js";
import { Random } from "#src/random.js";
import { initialModel } from "./models.js";
import { assertSameBytes, Draw, numbersOf } from "./numbers.js";
import { muchDropped, STEPS } from "./small-training.js";

export interface Work {
  readonly config: ModelConfig;
  /** Of each step in turn: steps of time and the batch. */
  readonly windows: readonly { time: number; batch: number }[];
  readonly optimizer: OptimizerName;
}

/** All that some work gives, by name. */
export type Results = Map<string, Float32Array | Int32Array>;

/** Work on both sides of where the batch, then units are divided among threads. */
export function works(cell: ModelConfig["cell"]): Record<string, Work> {
  const manyUnits = { gru: 300, lstm: 260, rnn: 520 }[cell];
  const config = (sizes: Partial<ModelConfig>) =>
    modelConfig({
      cell,
      layers: 1,
      hiddenSize: 33,
      embeddingSize: 0,
      vocabularySize: 20,
      ...sizes,
    });
  return {
    "rows enough for each": {
      config: config({ layers: 2, embeddingSize: 7 }),
      windows: [
        { time: 6, batch: 17 },
        { time: 9, batch: 8 },
        { time: 1, batch: 50 },
      ],
      optimizer: "adam",
    },
    "fewer rows than threads": {
      config: config({ hiddenSize: 100, layers: 3 }),
      windows: [
        { time: 5, batch: 1 },
        { time: 5, batch: 3 },
      ],
      optimizer: "rmsprop",
    },
    "fewer units than fill a register for each": {
      config: config({ hiddenSize: 7, embeddingSize: 40, vocabularySize: 300 }),
      windows: [
        { time: 70, batch: 3 },
        { time: 20, batch: 25 },
      ],
      optimizer: "sgd",
    },
    "weights too many to share": {
      config: config({ hiddenSize: manyUnits, layers: 2 }),
      windows: [
        { time: 3, batch: 17 },
        { time: 4, batch: 2 },
      ],
      optimizer: "adam",
    },
  };
}

/** A model trained for some steps, and what it then gives. */
export function resultsOf(backend: Backend, { config, windows, optimizer }: Work): Results {
  const draw = new Draw(7);
  const model = initialModel(backend, config, Random.fromSeed(2));
  const gradients = parameterArray(backend, config);
  const average = parameterArray(backend, config);
  // A norm that is clipped at the first steps.
  const takesSteps = createOptimizer(backend, config, { optimizer, ...STEPS });
  const results: Results = new Map();
  for (const [index, { time, batch }] of [...windows, ...windows].entries()) {
    const inputs = draw.tokens(time * batch, config.vocabularySize);
    const targets = draw.tokens(time * batch, config.vocabularySize);
    targets[draw.below(targets.length)] = -1;
    const before = nothingBefore(batch);
    const window = { inputs, targets, before, time, batch, startsFresh: true };
    const zeros = model.zeroState(batch);
    const { score, state } = model.lossAndGradients(window, zeros, gradients, muchDropped(index));
    results.set(`gradients ${index}`, numbersOf(gradients.flat));
    const arrays = { parameters: model.parameters, gradients, average };
    const norm = takesSteps.step(arrays, 0.01, index + 1);
    const scored = model.score(window, state);
    results.set(`scores ${index}`, Float32Array.of(score.loss, scored.score.loss, norm));
    results.set(`correct ${index}`, Int32Array.of(score.correct, scored.score.correct));
    for (const [layer, { hidden, cellState }] of scored.state.entries()) {
      results.set(`state ${index}, ${layer}`, hidden);
      if (cellState) results.set(`cell state ${index}, ${layer}`, cellState);
    }
  }
  results.set("parameters", model.parameters.read().slice());
  results.set("average", average.read().slice());
  addStreamLogits(results, model, draw);
  takesSteps.dispose();
  return results;
}

export function addStreamLogits(results: Results, model: CharRnn, draw: Draw): void {
  for (const count of [1, 2, 13]) {
    const session = model.openDecodeSession(count);
    for (let step = 0; step < 3; step++) {
      const logits = session.step(draw.tokens(count, model.config.vocabularySize));
      results.set(`logits of ${count} sequences ${step}`, logits.slice());
    }
    session.dispose();
  }
}

export function assertSameResults(actual: Results, expected: Results, what: string): void {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, values] of expected) {
    assert.ok(values.every(Number.isFinite), `${name} ${what}`);
    assertSameBytes(actual.get(name) as Float32Array, values, `${name} ${what}`);
  }
}
