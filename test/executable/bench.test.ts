import assert from "node:assert/strict";
import { charnn, jsonLines } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";

const NUMBERS = [
  "trainCharsPerSecond",
  "msPerStep",
  "sampleCharsPerSecond",
  "peakRssBytes",
  "threads",
  "trainGflops",
];

slow("bench measures training and sampling, with --json as one object", async (t) => {
  // Not to be counted as the program's own.
  const parents = Buffer.alloc(300e6, 1);
  const args =
    "bench --cell lstm --layers 2 --hidden-size 24 --embedding-size 5 --dropout 0.25 --input-dropout 0.1 --recurrent-dropout 0.2 --vocabulary-size 300 " +
    "--batch-size 3 --seq-length 7 --steps 9 --streams 2 --backend wasm --threads 1 --json";
  const { code, stdout, stderr } = await charnn(t, args.split(" "));
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  const [result, ...others] = jsonLines(stdout);
  assert.deepEqual(others, []);
  for (const name of NUMBERS) {
    assert.ok(Number.isFinite(result[name]) && result[name] > 0, `${name}: ${result[name]}`);
  }
  const { model, backend, threads, steps, streams, batchSize, seqLength } = result;
  assert.deepEqual(model, {
    cell: "lstm",
    layers: 2,
    hiddenSize: 24,
    embeddingSize: 5,
    vocabularySize: 300,
  });
  const { dropout, inputDropout, recurrentDropout, weightDropout } = result;
  assert.deepEqual([dropout, inputDropout, recurrentDropout, weightDropout], [0.25, 0.1, 0.2, 0]);
  assert.deepEqual(
    { backend, threads, steps, streams, batchSize, seqLength },
    { backend: "wasm", threads: 1, steps: 9, streams: 2, batchSize: 3, seqLength: 7 },
  );
  const gates = 4 * 24;
  assert.equal(
    result.parameters,
    300 * 5 + gates * (5 + 24 + 2) + gates * (24 + 24 + 2) + 300 * 25,
  );
  assert.equal(result.flopsPerCharacter, 6 * (gates * 24 * 3 + 300 * 24));
  const characters = (result.trainCharsPerSecond * result.msPerStep) / 1e3;
  assert.ok(Math.abs(characters - 3 * 7) < 1e-6, `${characters} characters a step`);
  assert.ok(result.peakRssBytes > 20e6 && result.peakRssBytes < parents.length);
});

slow("bench shows the same to people, with the defaults of train but one-hot", async (t) => {
  const args = ["bench", "--steps", "2", "--threads", "3"];
  const { code, stdout } = await charnn(t, args);
  assert.equal(code, 0);
  const lines = stdout.split("\n");
  for (const [index, line] of [
    /^model +GRU, 1 layer of 128, one-hot input: 83,265 parameters$/,
    /^batches +16 of 64 characters$/,
    /^backend +(native|wasm), 3 threads$/,
    /^training +[\d,]+ chars\/s, \d+\.\d\d ms a step, \d+\.\d GFLOP\/s \(median of 2 steps\)$/,
    /^sampling +[\d,]+ chars\/s, 1 text at a time$/,
    /^memory +\d+ MB at its highest$/,
    /^$/,
  ].entries()) {
    assert.match(lines[index], line);
  }
});

slow("bench understands options of other programs", async (t) => {
  const args = "bench --rnn_size 9 --num-layers 2 --block_size=5 --steps 1 --backend wasm --json";
  const { code, stdout, stderr } = await charnn(t, args.split(" "));
  assert.equal(code, 0, stderr);
  const [{ model, seqLength }] = jsonLines(stdout);
  assert.deepEqual([model.hiddenSize, model.layers, seqLength], [9, 2, 5]);
});
