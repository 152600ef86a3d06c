import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { type Tokens, Vocabulary } from "#src/data/vocabulary.js";
import { lossByPosition } from "#src/evaluation/loss-by-position.js";
import type { CharRnn } from "#src/model/char-rnn.js";
import { parameterViews } from "#src/model/parameters.js";
import { Random } from "#src/random.js";
import { predictions } from "../helpers/defined-model.js";
import { initialModel } from "../helpers/models.js";
import { assertClose } from "../helpers/numbers.js";
import { inventedText } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";
import { wasmBackend } from "../helpers/wasm.js";

function modelOf(text: string) {
  const vocabulary = Vocabulary.fromCodePoints(
    Array.from(text, (test) => test.codePointAt(0) as number),
  );
  const sizes = { layers: 1, hiddenSize: 6, embeddingSize: 0, vocabularySize: vocabulary.size };
  const model = initialModel(
    wasmBackend(),
    modelConfig({ cell: "gru", ...sizes }),
    Random.fromSeed(3),
  );
  return { model, vocabulary, tokens: vocabulary.encode(text) };
}

function lossesOf({ config, parameters }: CharRnn, tokens: Tokens): number[] {
  return predictions(config, parameterViews(config, parameters.read()), tokens).losses;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test("The loss after a cold start is that of windows that are each read from a state of zero", async () => {
  const { model, vocabulary, tokens } = modelOf(inventedText(600));
  const before = undisposed();
  const losses = await lossByPosition(model, tokens, undefined, vocabulary);
  assert.equal(undisposed(), before);
  // 599 characters to predict, in 3 windows of up to 255, from 0, 199 and 399 on.
  const windows = [0, 199, 399].map((start) =>
    lossesOf(model, tokens.subarray(start, start + 256)),
  );
  const expected = [1, 2, 4, 8, 16, 32, 64, 128].map((from) => {
    const group = windows.flatMap((window) => window.slice(from - 1, 2 * from - 1));
    return { from, to: 2 * from - 1, loss: mean(group), characters: group.length };
  });
  assert.deepEqual(
    losses?.map(({ loss, ...rest }) => rest),
    expected.map(({ loss, ...rest }) => rest),
  );
  const all = (groups: readonly { loss: number }[] = []) => groups.map(({ loss }) => loss);
  assertClose(all(losses), all(expected), 1e-5, "losses");
});

test("The loss after a cold start is that of single lines where each is a separate text", async () => {
  const { model, vocabulary, tokens } = modelOf("lo ra\nin\n");
  const losses = await lossByPosition(model, tokens, "lines", vocabulary);
  const lines = ["\nlo ra\n", "\nin\n"].map((line) => lossesOf(model, vocabulary.encode(line)));
  const groups = [
    [lines[0][0], lines[1][0]],
    [lines[0][1], lines[0][2], lines[1][1], lines[1][2]],
    [lines[0][3], lines[0][4], lines[0][5]],
  ];
  assertClose(losses?.map(({ loss }) => loss) ?? [], groups.map(mean), 1e-5, "losses");
  assert.deepEqual(
    losses?.map(({ characters }) => characters),
    [2, 4, 3],
  );
});

test("The loss after a cold start is measured on windows from all over a long text, and on a bounded number of them", async () => {
  const { model, vocabulary } = modelOf("ab");
  const tokens = new Uint8Array(400_000);
  const losses = (await lossByPosition(model, tokens, undefined, vocabulary)) ?? [];
  assert.deepEqual(
    losses.map(({ characters, from }) => characters / from),
    new Array(8).fill(1_024),
  );
});
