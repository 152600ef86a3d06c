/** What the native backend gives does not depend on the processor, nor on what it did before. */
import { test } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import type { Addon } from "#src/backends/native/addon.js";
import { openBackend } from "#src/backends/select.js";
import { CELL_NAMES, CELLS } from "#src/config/cells.js";
import { nothingBefore } from "#src/data/batch.js";
import { parameterArray } from "#src/model/parameters.js";
import { Random } from "#src/random.js";
import { onTheAddon } from "../../helpers/addon.js";
import { backwardArguments, crossEntropyArguments, SOURCES } from "../../helpers/addon-calls.js";
import {
  addStreamLogits,
  assertSameResults,
  type Results,
  resultsOf,
  type Work,
  works,
} from "../../helpers/divided-work.js";
import { initialModel } from "../../helpers/models.js";
import { assertClose, assertSameBytes, Draw, numbersOf } from "../../helpers/numbers.js";
import { slow } from "../../helpers/slow.js";
import { muchDropped, smallTraining } from "../../helpers/small-training.js";
import { startWasmThreads } from "../../helpers/wasm.js";

const THREADS = [1, 2, 3, 4];

/** Absolute and relative, where sums are rounded differently. */
const TOLERANCE = 1e-5;

onTheAddon("The native backend", (addon, native) => {
  test("The native backend gives the same bytes, no matter what its scratch memory and its outputs held before", () => {
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
    "The native backend continues decode sessions from where they were, no matter what it does between their steps",
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
    await startWasmThreads(2);
    const wasm = await openBackend("wasm", 2);
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
        // One step, without the optimizer's: Adam's magnifies the smallest gradients.
        const once = () => learnedOnce(native, work);
        const expected = withInstructionSet(addon, fused[0], once);
        for (const [name, values] of withInstructionSet(addon, "sse2", once)) {
          const numbers = expected.get(name) as Float32Array;
          assertClose(values, numbers, TOLERANCE, `${name} of ${cell}, ${title}`);
        }
      }
    }
  });
});

/** The arrays that a kernel overwrites. */
function outputsOf(values: object): Record<string, Float32Array | Int32Array> {
  const isOutput = /^(gradient(?!Output)|losses|predictions)/;
  return Object.fromEntries(Object.entries(values).filter(([name]) => isOutput.test(name)));
}

/** The gradients of one window and what decode sessions give. */
function learnedOnce(backend: Backend, { config, windows: [{ time, batch }] }: Work): Results {
  const draw = new Draw(9);
  const model = initialModel(backend, config, Random.fromSeed(2));
  const gradients = parameterArray(backend, config);
  const inputs = draw.tokens(time * batch, config.vocabularySize);
  const targets = draw.tokens(time * batch, config.vocabularySize);
  const before = nothingBefore(batch);
  const window = { inputs, targets, before, time, batch, startsFresh: true };
  const state = model.zeroState(batch);
  const { score } = model.lossAndGradients(window, state, gradients, muchDropped(1));
  const results: Results = new Map([
    ["gradients", numbersOf(gradients.flat)],
    ["loss", Float32Array.of(score.loss)],
  ]);
  addStreamLogits(results, model, draw);
  return results;
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
