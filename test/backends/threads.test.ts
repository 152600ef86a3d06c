/** What the compiled kernels give does not depend on the number of threads. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import { openBackend } from "#src/backends/select.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { assertSameResults, type Results, resultsOf, works } from "../helpers/divided-work.js";
import { Draw } from "../helpers/numbers.js";
import { slow } from "../helpers/slow.js";
import { fileOf, smallRun, trained, workplace } from "../helpers/training.js";
import { startWasmThreads } from "../helpers/wasm.js";

const THREADS = [1, 2, 3, 4];

for (const name of ["native", "wasm"] as const) {
  const unavailable = await openBackend(name, 1).then(
    () => false,
    ({ message }: Error) => message,
  );
  describe(`Threads of the ${name} backend`, { skip: unavailable }, () => {
    /** A backend whose threads are all there. */
    const open = async (threads: number): Promise<Backend> => {
      if (name === "wasm") await startWasmThreads(threads);
      return openBackend(name, threads);
    };

    /** Does some work on backends of several numbers of threads. */
    const assertSameWithThreads = async (work: (backend: Backend) => Results) => {
      let expected: Results | undefined;
      for (const threads of THREADS) {
        const results = work(await open(threads));
        expected ??= results;
        assertSameResults(results, expected, `with ${threads} threads`);
      }
    };

    for (const cell of CELL_NAMES) {
      for (const [title, work] of Object.entries(works(cell))) {
        slow(
          `The ${name} backend trains a ${cell} model to the same bytes with any number of threads: ${title}`,
          () => assertSameWithThreads((backend) => resultsOf(backend, work)),
        );
      }
    }

    test(`The ${name} backend scores more logits than it holds at once to the same bytes with any number of threads`, async () => {
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
        const workspace = backend.createWorkspace();
        const made = backend.linearCrossEntropyScores(decoder, workspace);
        workspace.dispose();
        return new Map(Object.entries(made));
      };
      for (let repetition = 0; repetition < 8; repetition++) await assertSameWithThreads(score);
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
        `The ${name} backend makes the same checkpoints with any number of threads: ${settings.cell}`,
        async (t) => {
          const place = await workplace(t);
          for (const threads of THREADS) {
            await open(threads);
            const run = `with-${threads}`;
            const pace = { steps: 25, evalEvery: 10, randomSeed: 3, backend: name, threads };
            await trained(smallRun(place, { ...pace, ...settings, name: run }));
            for (const file of ["last.safetensors", "best.safetensors"]) {
              const bytes = await fileOf(place, run, file);
              const expected = await fileOf(place, "with-1", file);
              assert.ok(bytes.equals(expected), `${file} with ${threads} threads`);
            }
          }
        },
      );
    }
  });
}
