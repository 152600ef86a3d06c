/** Runs whose models have embeddings of n-grams. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCheckpoint, type TrainSettings } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import {
  afterStep,
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

/** The settings of a run that leaves open which n-grams have embeddings. */
function openRun(place: Workplace, settings: Partial<TrainSettings> = {}): TrainSettings {
  const { ngramOrder, ...others } = smallRun(place, { steps: 2 });
  return { ...others, ...settings };
}

for (const [title, settings, expected] of [
  ["nothing is said", {}, { ngramOrder: 4, ngramRows: 1_024 }],
  ["the order is given", { ngramOrder: 2 }, { ngramOrder: 2, ngramRows: 1_024 }],
  ["the rows are given", { ngramRows: 100 }, { ngramOrder: 4, ngramRows: 100 }],
  ["there are to be none", { ngramOrder: 1, ngramRows: 100 }, {}],
  ["input is one-hot", { embeddingSize: 0 }, {}],
] as const) {
  test(`A run has the embeddings of n-grams that are chosen where ${title}`, async (t) => {
    const place = await workplace(t);
    await trained(openRun(place, settings));
    const { config, tensors } = await loadCheckpoint("run", place);
    const { ngramOrder, ngramRows } = config.model;
    assert.deepEqual({ ...(ngramOrder && { ngramOrder, ngramRows }) }, expected);
    const names = [...tensors.keys()].filter((name) => name.startsWith("ngram"));
    const all = ["ngram2.weight", "ngram3.weight", "ngram4.weight"];
    assert.deepEqual(names, all.slice(0, (ngramOrder ?? 1) - 1));
  });
}

test("A run refuses embeddings of n-grams without those of characters", async (t) => {
  const place = await workplace(t);
  await assert.rejects(
    trained(openRun(place, { ngramOrder: 3, embeddingSize: 0 })),
    failsWith("INVALID_SETTING", "ngramOrder is 3", "`embeddingSize: 0`"),
  );
});

test("A run learns the embeddings of n-grams that its text has, and leaves all others zero", async (t) => {
  const text = "abcab".repeat(200);
  const place = await workplace(t, text);
  await trained(openRun(place, { steps: 20, weightDecay: 0.01 }));
  const { tensors } = await loadCheckpoint("run", place);
  for (const order of [2, 3]) {
    const { data, shape } = tensors.get(`ngram${order}.weight`) as {
      data: Float32Array;
      shape: readonly number[];
    };
    const [rows, size] = shape;
    assert.equal(rows, 4 ** order);
    for (let row = 0; row < rows; row++) {
      const places = Array.from({ length: order }, (_, back) => Math.floor(row / 4 ** back) % 4);
      // What is before the lanes' first characters depends on where these begin.
      if (places.includes(0)) continue;
      const ngram = places
        .reverse()
        .map((symbol) => " abc"[symbol])
        .join("");
      const isLearned = data.subarray(row * size, (row + 1) * size).some((number) => number !== 0);
      assert.equal(isLearned, text.includes(ngram), ngram);
    }
  }
});

for (const [title, settings] of [
  ["lanes", {}],
  ["windows", { batching: "windows", stride: 5 }],
  ["lines longer than a window", { documents: "lines", seqLength: 3 }],
  [
    "two workers, an LSTM of two layers with dropout",
    { workers: 2, cell: "lstm", layers: 2, dropout: 0.2, inputDropout: 0.1, ngramDropout: 0.3 },
  ],
] as const) {
  test(`A run with embeddings of n-grams that was stopped within an epoch is resumed to the bytes of an unbroken one: ${title}`, async (t) => {
    const place = await workplace(t, inventedText(900));
    const run = openRun(place, { ngramRows: 600, batchSize: 2, steps: 25, ...settings });
    const unbroken = await trained({ ...run, name: "unbroken" });
    const ofFirstEpoch = only(unbroken, "step").filter(({ epoch }) => epoch === 1).length;
    assert.ok(ofFirstEpoch > 5);
    for (const step of [2, 5, 12]) {
      const name = "broken";
      const broken = await trained({ ...run, name, resume: step > 2 }, afterStep(step));
      assert.equal(endOf(broken).reason, "interrupted");
    }
    await trained({ ...run, name: "broken", resume: true });
    const [expected, actual] = await Promise.all(
      ["unbroken", "broken"].map((name) => fileOf(place, name, "last.safetensors")),
    );
    assert.ok(actual.equals(expected));
  });
}

test("A run predicts what follows two characters better with embeddings of n-grams, from a state that knows nothing of it", async (t) => {
  const place = await workplace(t, inventedText(6_000));
  // Units that forget everything at once: what they see of the text is their input.
  const settings = { steps: 150, learningRate: 0.02, cell: "rnn", hiddenSize: 16 } as const;
  const windows = { batching: "windows", seqLength: 2, batchSize: 32 } as const;
  const losses = [];
  for (const ngramOrder of [1, 2]) {
    const name = `order-${ngramOrder}`;
    const events = await trained(openRun(place, { ...settings, ...windows, ngramOrder, name }));
    losses.push(endOf(events).bestLoss as number);
  }
  assert.ok(losses[1] < losses[0] - 0.01, losses.join());
});
