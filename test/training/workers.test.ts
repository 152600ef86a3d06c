/** Several workers in one process: what they learn, and what a run with them is. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { openBackend } from "#src/backends/select.js";
import { modelConfig } from "#src/config/model.js";
import { TRAIN_DEFAULTS } from "#src/config/train.js";
import { type Batch, nothingBefore } from "#src/data/batch.js";
import { loadCheckpoint, type TrainSettings, train } from "#src/index.js";
import { withWorkerStates, workerState } from "#src/model/worker-state.js";
import { Learner } from "#src/optimization/learner.js";
import { Random } from "#src/random.js";
import { failsWith } from "../helpers/failure.js";
import { initialModel } from "../helpers/models.js";
import { Draw } from "../helpers/numbers.js";
import { slow } from "../helpers/slow.js";
import { nothingDropped } from "../helpers/small-training.js";
import {
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  workplace,
} from "../helpers/training.js";

const VOCABULARY = 11;
const MODEL = modelConfig({
  cell: "lstm",
  layers: 2,
  hiddenSize: 24,
  embeddingSize: 6,
  vocabularySize: VOCABULARY,
});

const ROWS = 12;
/** The others have no targets. */
const LEARNED_ROWS = 9;

/** A batch of random tokens, in which some positions and some whole sequences are not learned. */
function randomBatch(draw: Draw): Batch {
  const [time, rows] = [9, ROWS];
  const targets = draw.tokens(time * rows, VOCABULARY);
  for (let step = 0; step < time; step++) {
    for (let row = 0; row < rows; row++) {
      if (row >= LEARNED_ROWS || (row + step) % 5 === 0) targets[step * rows + row] = -1;
    }
  }
  const inputs = draw.tokens(time * rows, VOCABULARY);
  return { inputs, targets, before: nothingBefore(rows), time, batch: rows, startsFresh: false };
}

/** The gradients that workers learn together, and what they return. */
async function learnedBy(workers: number, accumulate = 1) {
  const backend = await openBackend("native", 1);
  const model = initialModel(backend, MODEL, Random.fromSeed(3));
  const training = { ...TRAIN_DEFAULTS, accumulate, workers, clipNorm: 0 };
  const learner = new Learner(model, training);
  const draw = new Draw(5);
  let state = model.zeroState(ROWS);
  let [loss, characters] = [0, 0];
  for (let part = 0; part < accumulate; part++) {
    const batch = randomBatch(draw);
    const results = Array.from({ length: workers }, (_, worker) =>
      learner.lossAndGradients(batch, state, nothingDropped(), worker),
    );
    const states = new Map(results.map((result, worker) => [worker, result.state]));
    state = withWorkerStates(state, states, workers);
    for (const { score } of results) {
      loss += score.loss;
      characters += score.characters;
    }
  }
  learner.update(0, 1);
  const gradients = learner.gradients.read().slice();
  learner.dispose();
  model.dispose();
  return { gradients, state, loss, characters };
}

for (const accumulate of [1, 3]) {
  for (const workers of [2, 3, 4, 12]) {
    test(`The gradients of ${workers} workers and ${accumulate} batches are those of one, to within 8 bits`, async () => {
      const one = await learnedBy(1, accumulate);
      const many = await learnedBy(workers, accumulate);
      assert.ok(Math.abs(one.loss - many.loss) < 1e-4 * one.loss);
      assert.equal(one.characters, many.characters);
      // A worker that learns nothing does not read its sequences either.
      const learned = (rows: Float32Array | undefined) => rows?.subarray(0, LEARNED_ROWS * 24);
      for (const [layer, { hidden, cellState }] of one.state.entries()) {
        assert.deepEqual(learned(many.state[layer].hidden), learned(hidden));
        assert.deepEqual(learned(many.state[layer].cellState), learned(cellState));
      }
      const norm = Math.hypot(...one.gradients);
      const difference = Math.hypot(...one.gradients.map((value, i) => value - many.gradients[i]));
      assert.ok(difference < 0.02 * norm, `${difference} of ${norm}`);
      assert.notDeepEqual(many.gradients, one.gradients);
    });
  }
}

test("The state of all is put together from the states of the workers", async () => {
  const model = initialModel(await openBackend("native", 1), MODEL, Random.fromSeed(3));
  const draw = new Draw(1);
  const state = model.zeroState(6).map(({ hidden, cellState }) => ({
    hidden: hidden.map(() => draw.uniform()),
    cellState: cellState?.map(() => draw.uniform()),
  }));
  const parts = [0, 1, 2].map((worker) => workerState(state, worker, 3));
  assert.deepEqual(withWorkerStates(model.zeroState(6), new Map(parts.entries()), 3), state);
  const second = withWorkerStates(model.zeroState(6), new Map([[1, parts[1]]]), 3);
  assert.deepEqual(workerState(second, 1, 3), parts[1]);
  assert.deepEqual(workerState(second, 0, 3), model.zeroState(2));
  assert.deepEqual(parts[1][0].hidden, state[0].hidden.slice(2 * 24, 4 * 24));
  model.dispose();
});

test("A run of one worker has the bytes of one for which none was asked", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { name: "none" }));
  await trained(smallRun(place, { name: "one", workers: 1 }));
  const [none, one] = [
    await fileOf(place, "none", "last.safetensors"),
    await fileOf(place, "one", "last.safetensors"),
  ];
  assert.ok(none.equals(one));
});

const VARIED: readonly { readonly title: string; readonly settings: Partial<TrainSettings> }[] = [
  { title: "lanes", settings: { dropout: 0.2, recurrentDropout: 0.1 } },
  { title: "windows", settings: { batching: "windows", stride: 5, weightDropout: 0.2 } },
  { title: "lines", settings: { documents: "lines", cell: "lstm", inputDropout: 0.2 } },
  { title: "accumulated batches", settings: { accumulate: 2, cell: "rnn" } },
];

for (const { title, settings } of VARIED) {
  test(`A run of three workers has the same bytes again, with any number of threads: ${title}`, async (t) => {
    const place = await workplace(t, inventedText(1_500));
    const run = { workers: 3, batchSize: 2, seqLength: 8, steps: 12, ...settings };
    const files: Buffer[] = [];
    for (const [name, threads] of [
      ["a", 1],
      ["b", 1],
      ["c", 2],
    ] as const) {
      const end = endOf(await trained(smallRun(place, { ...run, name, threads })));
      assert.equal(end.step, 12);
      files.push(await fileOf(place, name, "last.safetensors"));
    }
    assert.ok(files[1].equals(files[0]));
    assert.ok(files[2].equals(files[0]));
    await trained(smallRun(place, { ...run, name: "d", workers: undefined, batchSize: 6 }));
    assert.ok(!(await fileOf(place, "d", "last.safetensors")).equals(files[0]));
  });
}

test("More workers learn at a higher rate, unless one was asked for", async (t) => {
  const place = await workplace(t, inventedText(20_000));
  const rateOf = async (settings: Partial<TrainSettings>) => {
    const name = `with${JSON.stringify(settings).replace(/\W/g, "")}`;
    await trained(smallRun(place, { steps: 1, batchSize: 2, seqLength: 8, name, ...settings }));
    const { config } = await loadCheckpoint(name, { out: place.out });
    return config.training.learningRate;
  };
  const one = await rateOf({ learningRate: undefined });
  assert.equal(await rateOf({ learningRate: undefined, workers: 4 }), 2 * one);
  assert.equal(await rateOf({ learningRate: undefined, workers: 100 }), 3 * one);
  assert.equal(await rateOf({ learningRate: 0.004, workers: 4 }), 0.004);
  const from = { learningRate: undefined, initFrom: path.join(place.out, "withworkers4") };
  assert.equal(await rateOf({ ...from, workers: 4 }), 0.3 * 2 * one);
  assert.equal(await rateOf({ ...from, workers: 1 }), 0.3 * one);
});

test("A run is resumed with the workers that it began with", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { workers: 2, batchSize: 2, steps: 3 });
  await trained(settings);
  const more = { ...settings, resume: true, steps: 5 };
  await assert.rejects(
    trained({ ...more, workers: 4 }),
    failsWith("CANNOT_RESUME", "workers is 2 in the run", "not 4"),
  );
  await assert.rejects(
    trained({ ...more, workers: 1 }),
    failsWith("CANNOT_RESUME", "workers is 2 in the run", "not 1"),
  );
  const { workers: _, ...others } = more;
  assert.equal(endOf(await trained(others)).step, 5);
});

test("A text that is too short for its workers is refused, with what fits", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { workers: 100, batchSize: 8, seqLength: 8 });
  await assert.rejects(
    async () => {
      for await (const _ of train(settings));
    },
    failsWith("TEXT_TOO_SHORT", "100 workers", /`workers: \d+`/),
  );
});

slow("Four workers reach a lower loss than one in as many steps", async (t) => {
  const place = await workplace(t, inventedText(60_000));
  const lossOf = async (workers: number) => {
    const name = `of-${workers}`;
    const settings = { steps: 120, hiddenSize: 32, batchSize: 4, seqLength: 16, evalEvery: 120 };
    const events = await trained(smallRun(place, { ...settings, name, workers }));
    return only(events, "eval").at(-1)?.validationLoss ?? Number.NaN;
  };
  const [one, four] = [await lossOf(1), await lossOf(4)];
  assert.ok(four < one - 0.02, `${four} with four workers, ${one} with one`);
});
