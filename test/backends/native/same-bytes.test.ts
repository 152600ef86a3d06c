/** What the native backend computes does not depend on the number of threads nor on the processor. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import type { Addon } from "#src/backends/native/addon.js";
import { openBackend } from "#src/backends/select.js";
import { CELL_NAMES, CELLS } from "#src/config/cells.js";
import { type ModelConfig, modelConfig } from "#src/config/model.js";
import type { OptimizerName } from "#src/config/names.js";
import type { CharRnn } from "#src/model/char-rnn.js";
import { parameterArray } from "#src/model/parameters.js";
import { createOptimizer } from "#src/optimization/optimizer.js";
import { Random } from "#src/random.js";
import { onTheAddon } from "../../helpers/addon.js";
import { backwardArguments, crossEntropyArguments, SOURCES } from "../../helpers/addon-calls.js";
import { initialModel } from "../../helpers/models.js";
import { assertClose, assertSameBytes, Draw, numbersOf } from "../../helpers/numbers.js";
import { slow } from "../../helpers/slow.js";
import { muchDropped, STEPS, smallTraining } from "../../helpers/small-training.js";
import { fileOf, smallRun, trained, workplace } from "../../helpers/training.js";

const THREADS = [1, 2, 3, 4];

/** Absolute and relative, where sums are rounded differently. */
const TOLERANCE = 1e-5;

interface Work {
  readonly config: ModelConfig;
  /** Of each step in turn: steps of time and the batch. */
  readonly windows: readonly { time: number; batch: number }[];
  readonly optimizer: OptimizerName;
}

/** All that some work gives, by name. */
type Results = Map<string, Float32Array | Int32Array>;

onTheAddon("The native backend", (addon, native) => {
  for (const cell of CELL_NAMES) {
    for (const [title, work] of Object.entries(works(cell))) {
      slow(
        `The native backend trains a ${cell} model to the same bytes with any number of threads: ${title}`,
        async () => {
          await assertSameWithThreads((backend) => resultsOf(backend, work));
        },
      );
    }
  }

  test("The native backend scores more logits than it holds at once to the same bytes with any number of threads", async () => {
    const draw = new Draw(8);
    const rows = 700;
    const hidden = 3;
    const vocabulary = 8_200;
    const input = draw.floats(rows * hidden);
    const weight = draw.floats(vocabulary * hidden);
    const bias = draw.floats(vocabulary);
    const targets = draw.tokens(rows, vocabulary);
    const sizes = { time: rows, batch: 1, hiddenSize: hidden };
    const decoder = { ...sizes, input, weight, bias, targets };
    const score = (backend: Backend): Results => {
      const made = backend.linearCrossEntropyScores(decoder, backend.createWorkspace());
      return new Map(Object.entries(made));
    };
    for (let repetition = 0; repetition < 8; repetition++) await assertSameWithThreads(score);
  });

  test("The native backend gives the same bytes whatever its scratch memory and its outputs held before", () => {
    for (const source of SOURCES) {
      for (const cell of CELL_NAMES) {
        const sizes = { cell, source, time: 7, batch: 5, input: 18, hidden: 37, vocabulary: 19 };
        const draw = new Draw(5);
        const layer = backwardArguments(addon, sizes, draw);
        const hiddenAfter = new Float32Array(5 * 37);
        const cellAfter = CELLS[cell].hasCellState ? new Float32Array(5 * 37) : undefined;
        const decoder = crossEntropyArguments(addon, sizes, draw);
        const outputs = { ...outputsOf(layer), ...outputsOf(decoder), hiddenAfter, cellAfter };
        const resultsAfter = (value: number): Results => {
          for (const array of [layer.scratch, decoder.scratch, ...Object.values(outputs)]) {
            array?.fill(value);
          }
          addon.forwardSequence({ ...layer, hiddenAfter, cellAfter });
          addon.backwardSequence(layer);
          addon.crossEntropy(decoder);
          const results: Results = new Map();
          for (const [name, array] of Object.entries(outputs)) {
            if (array) results.set(name, array.slice());
          }
          return results;
        };
        const expected = resultsAfter(0);
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -3e38]) {
          assertSameResults(resultsAfter(value), expected, `of ${cell}, ${source}, after ${value}`);
        }
      }
    }
  });

  slow(
    "The native backend continues decode sessions from where they were, whatever it does between their steps",
    () => {
      const { model, step } = smallTraining(native);
      const { threads: usual } = addon.describe();
      const counts = [4, 9];
      const { vocabularySize } = model.config;
      const draw = new Draw(6);
      const tokens = counts.map((count) =>
        Array.from({ length: 12 }, () => draw.tokens(count, vocabularySize)),
      );
      const fresh = initialModel(native, model.config, Random.fromSeed(3));
      addon.setThreads({ threads: 1 });
      const expected = counts.map((count, k) => {
        const session = fresh.openDecodeSession(count);
        const logits = tokens[k].map((own) => session.step(own).slice());
        session.dispose();
        return logits;
      });
      try {
        for (const threads of THREADS) {
          addon.setThreads({ threads });
          const open = counts.map((count) => fresh.openDecodeSession(count));
          for (let t = 0; t < 12; t++) {
            for (const [k, session] of open.entries()) {
              if (t % 3 === 0) step(3, 5);
              if (t % 5 === 2) addon.setThreads({ threads: 1 + ((threads + t) % 4) });
              // Others are opened, and closed before they have read anything.
              if (t % 4 === 1) model.openDecodeSession(6).dispose();
              const logits = session.step(tokens[k][t]);
              assertSameBytes(logits, expected[k][t], `${counts[k]} sequences, step ${t}`);
            }
          }
          for (const session of open) session.dispose();
        }
      } finally {
        addon.setThreads({ threads: usual });
        for (const each of [fresh, model]) each.dispose();
      }
    },
  );

  const { instructionSets } = addon.describe();
  const fused = instructionSets.filter((name) => name !== "sse2");

  test("The native backend gives the same bytes with every instruction set that multiplies and adds at once", (t) => {
    if (fused.length < 2) return t.skip(`this processor, or this build, has only ${fused}`);
    for (const cell of CELL_NAMES) {
      for (const [title, work] of Object.entries(works(cell))) {
        const [expected, ...others] = fused.map((name) =>
          withInstructionSet(addon, name, () => resultsOf(native, work)),
        );
        for (const results of others) assertSameResults(results, expected, `${cell}, ${title}`);
      }
    }
  });

  slow("The wasm backend gives the bytes of the native one with SSE2", async (t) => {
    if (!instructionSets.includes("sse2")) return t.skip(`this processor has ${instructionSets}`);
    const wasm = await openBackend("wasm");
    for (const cell of CELL_NAMES) {
      for (const [title, work] of Object.entries(works(cell))) {
        const expected = withInstructionSet(addon, "sse2", () => resultsOf(native, work));
        assertSameResults(resultsOf(wasm, work), expected, `${cell}, ${title}`);
      }
    }
  });

  slow("The native backend gives nearly the same numbers with SSE2", (t) => {
    if (fused.length === 0 || fused.length === instructionSets.length) {
      return t.skip(`this processor, or this build, has only ${instructionSets}`);
    }
    for (const cell of CELL_NAMES) {
      for (const [title, work] of Object.entries(works(cell))) {
        // One step, without the optimizer's: Adam's makes much of the smallest gradients.
        const once = () => learnedOnce(native, work);
        const expected = withInstructionSet(addon, fused[0], once);
        for (const [name, values] of withInstructionSet(addon, "sse2", once)) {
          const numbers = expected.get(name) as Float32Array;
          assertClose(values, numbers, TOLERANCE, `${name} of ${cell}, ${title}`);
        }
      }
    }
  });

  for (const settings of [
    { cell: "gru", layers: 2, dropout: 0.3, inputDropout: 0.1, batching: "lanes" },
    {
      cell: "lstm",
      embeddingSize: 0,
      inputDropout: 0.1,
      recurrentDropout: 0.2,
      optimizer: "rmsprop",
      batching: "windows",
    },
    { cell: "rnn", weightDropout: 0.2, documents: "lines", optimizer: "sgd", hiddenSize: 70 },
  ] as const) {
    slow(
      `The native backend makes the same checkpoints with any number of threads: ${settings.cell}`,
      async (t) => {
        const place = await workplace(t);
        for (const threads of THREADS) {
          const name = `with-${threads}`;
          const pace = { steps: 25, evalEvery: 10, randomSeed: 3 };
          const run = smallRun(place, { ...pace, ...settings, name, backend: "native", threads });
          await trained(run);
          for (const file of ["last.safetensors", "best.safetensors"]) {
            const bytes = await fileOf(place, name, file);
            const expected = await fileOf(place, "with-1", file);
            assert.ok(bytes.equals(expected), `${file} with ${threads} threads`);
          }
        }
      },
    );
  }
});

/** The arrays that a kernel overwrites. */
function outputsOf(values: object): Record<string, Float32Array | Int32Array> {
  const isOutput = /^(gradient(?!Output)|losses|predictions)/;
  return Object.fromEntries(Object.entries(values).filter(([name]) => isOutput.test(name)));
}

/** Work on both sides of where the batch, then units are divided among threads. */
function works(cell: ModelConfig["cell"]): Record<string, Work> {
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
function resultsOf(backend: Backend, { config, windows, optimizer }: Work): Results {
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
    const window = { inputs, targets, time, batch, startsFresh: true };
    const before = model.zeroState(batch);
    const { score, state } = model.lossAndGradients(window, before, gradients, muchDropped(index));
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

/** The gradients of one window and what decode sessions give. */
function learnedOnce(backend: Backend, { config, windows: [{ time, batch }] }: Work): Results {
  const draw = new Draw(9);
  const model = initialModel(backend, config, Random.fromSeed(2));
  const gradients = parameterArray(backend, config);
  const inputs = draw.tokens(time * batch, config.vocabularySize);
  const targets = draw.tokens(time * batch, config.vocabularySize);
  const window = { inputs, targets, time, batch, startsFresh: true };
  const state = model.zeroState(batch);
  const { score } = model.lossAndGradients(window, state, gradients, muchDropped(1));
  const results: Results = new Map([
    ["gradients", numbersOf(gradients.flat)],
    ["loss", Float32Array.of(score.loss)],
  ]);
  addStreamLogits(results, model, draw);
  return results;
}

function addStreamLogits(results: Results, model: CharRnn, draw: Draw): void {
  for (const count of [1, 2, 13]) {
    const session = model.openDecodeSession(count);
    for (let step = 0; step < 3; step++) {
      const logits = session.step(draw.tokens(count, model.config.vocabularySize));
      results.set(`logits of ${count} sequences ${step}`, logits.slice());
    }
    session.dispose();
  }
}

/** Does some work on backends of several numbers of threads. */
async function assertSameWithThreads(work: (backend: Backend) => Results): Promise<void> {
  let expected: Results | undefined;
  for (const threads of THREADS) {
    const results = work(await openBackend("native", threads));
    expected ??= results;
    assertSameResults(results, expected, `with ${threads} threads`);
  }
}

function withInstructionSet(addon: Addon, name: string, work: () => Results): Results {
  const { instructionSet: usual } = addon.describe();
  addon.setInstructionSet({ name });
  try {
    return work();
  } finally {
    addon.setInstructionSet({ name: usual });
  }
}

function assertSameResults(actual: Results, expected: Results, what: string): void {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, values] of expected) {
    assert.ok(values.every(Number.isFinite), `${name} ${what}`);
    assertSameBytes(actual.get(name) as Float32Array, values, `${name} ${what}`);
  }
}
