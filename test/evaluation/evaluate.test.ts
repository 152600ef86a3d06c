import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { type Batch, CHARACTERS_BEFORE, NOTHING_BEFORE } from "#src/data/batch.js";
import { evaluationBatches } from "#src/data/evaluation-batches.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { evaluate } from "#src/evaluation/evaluate.js";
import { type Checkpoint, loadCheckpoint, type TrainSettings } from "#src/index.js";
import type { CharRnn } from "#src/model/char-rnn.js";
import { Random } from "#src/random.js";
import { predictions } from "../helpers/defined-model.js";
import { failsWith } from "../helpers/failure.js";
import { initialModel } from "../helpers/models.js";
import { assertClose } from "../helpers/numbers.js";
import { evaluated } from "../helpers/scoring.js";
import { inventedText, smallRun, trained, type Workplace, workplace } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";
import { wasmBackend } from "../helpers/wasm.js";

test("Scoring a text in parallel batch rows gives nearly the score of one, and counts every character once", async () => {
  const text = inventedText(31_234);
  const vocabulary = Vocabulary.fromCodePoints(codePointsOf(text));
  const model = modelFor(vocabulary);
  const tokens = vocabulary.encode(text);
  for await (const { batch } of evaluationBatches(tokens, undefined, vocabulary))
    assert.equal(batch, 3);
  const inLanes = await evaluate(model, evaluationBatches(tokens, undefined, vocabulary));
  const inOne = await evaluate(model, inOneLane(tokens));
  assert.ok(inLanes && inOne);
  assert.deepEqual([inLanes.characters, inOne.characters], [tokens.length - 1, tokens.length - 1]);
  assertClose([inLanes.loss / inLanes.characters], [inOne.loss / inOne.characters], 1e-6, "loss");
  assertClose([inLanes.correct], [inOne.correct], 1e-3, "correct");
});

test("Scoring a text counts every character but the first of texts of any length", async () => {
  const text = inventedText(2_000);
  const vocabulary = Vocabulary.fromCodePoints(codePointsOf(text));
  const model = modelFor(vocabulary);
  for (const length of [0, 1, 2, 3, 255, 256, 257, 258, 512, 513, 2_000]) {
    const tokens = vocabulary.encode(text).subarray(0, length);
    const score = await evaluate(model, evaluationBatches(tokens, undefined, vocabulary));
    assert.equal(score?.characters, Math.max(length - 1, 0), `of ${length}`);
  }
});

test("Scoring a text leaves no tensors behind, and has no result when it is stopped", async () => {
  const text = inventedText(2_000);
  const vocabulary = Vocabulary.fromCodePoints(codePointsOf(text));
  const model = modelFor(vocabulary);
  const before = undisposed();
  const controller = new AbortController();
  const batches = async function* () {
    for await (const batch of evaluationBatches(vocabulary.encode(text), undefined, vocabulary)) {
      yield batch;
      controller.abort();
    }
  };
  assert.equal(await evaluate(model, batches(), controller.signal), undefined);
  assert.equal(undisposed(), before);
});

test("The score of a text is the mean loss of its characters, read one after the other", async (t) => {
  const { place, checkpoint } = await trainedModel(t, { cell: "lstm", layers: 2 });
  const text = inventedText(600, 5);
  const score = await scoreOf(place, checkpoint, text);
  const { losses, correct } = predictionsOf(checkpoint, text);
  const loss = mean(losses);
  assert.deepEqual([score.characters, score.skipped], [599, 0]);
  assertClose([score.loss], [loss], 1e-5, "loss");
  assertClose([score.bitsPerCharacter], [loss / Math.LN2], 1e-5, "bits");
  assertClose([score.perplexity], [Math.exp(loss)], 1e-4, "perplexity");
  assert.equal(score.accuracy, correct / 599);
});

test("The score of a text of a model of lines is the mean over each line and the newline after it", async (t) => {
  const { place, checkpoint } = await trainedModel(t, { cell: "gru", documents: "lines" });
  const lines = inventedText(500, 5).split("\n").filter(Boolean);
  const score = await scoreOf(place, checkpoint, `${lines.join("\n\n")}`);
  const losses = lines.flatMap((line) => predictionsOf(checkpoint, `\n${line}\n`).losses);
  assert.equal(score.characters, losses.length);
  assertClose([score.loss], [mean(losses)], 1e-5, "loss");
});

test("The score of a text of the held-out part is the validation loss that training reported", async (t) => {
  const { place, checkpoint } = await trainedModel(t, {});
  const score = await scoreOf(place, checkpoint, inventedText(700).slice(-70));
  assert.equal(score.loss, checkpoint.progress.bestLoss);
});

test("The score of a text with unknown characters is refused, or leaves them out", async (t) => {
  const { place, checkpoint } = await trainedModel(t, {});
  const text = inventedText(300, 5);
  const odd = `é${text.slice(0, 100)}Ü${text.slice(100)}é`;
  await assert.rejects(
    scoreOf(place, checkpoint, odd),
    failsWith("UNKNOWN_CHARACTER", "é", "Ü", "line 1, column 1", "`unknown: skip`"),
  );
  const score = await scoreOf(place, checkpoint, odd, "skip");
  assert.equal(score.loss, (await scoreOf(place, checkpoint, text)).loss);
  assert.deepEqual([score.characters, score.skipped], [299, 3]);
  assert.equal(score.skippedCharacters.length, 2);
});

test("The score of a text takes two characters or more", async (t) => {
  const { place, checkpoint } = await trainedModel(t, {});
  await assert.rejects(scoreOf(place, checkpoint, "l"), failsWith("BAD_TEXT"));
  await assert.rejects(scoreOf(place, checkpoint, "lÜ", "skip"), failsWith("BAD_TEXT"));
});

test("The score of a text is refused with a wrong setting, which is named", async (t) => {
  const { place, checkpoint } = await trainedModel(t, {});
  const files = [place.text];
  for (const [setting, value] of [
    ["files", "text"],
    ["unknown", "replace"],
    ["backend", "abacus"],
    ["encoding", 8],
  ] as const) {
    const settings = { files, [setting]: value } as Parameters<typeof evaluated>[1];
    const refused = failsWith("INVALID_SETTING", new RegExp(`^${setting}\\b`));
    await assert.rejects(evaluated(checkpoint, settings), refused);
  }
});

test("The score of a text is aborted with the reason of its signal, and leaves no tensors behind", async (t) => {
  const { place, checkpoint } = await trainedModel(t, {});
  const before = undisposed();
  const signal = AbortSignal.abort(new Error("changed my mind"));
  const files = [place.text];
  await assert.rejects(evaluated(checkpoint, { files }, { signal }), /changed my mind/);
  await evaluated(checkpoint, { files });
  assert.equal(undisposed(), before);
});

async function trainedModel(t: TestContext, settings: Partial<TrainSettings>) {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 30, learningRate: 0.02, ...settings }));
  return { place, checkpoint: await loadCheckpoint("run", place) };
}

async function scoreOf(
  place: Workplace,
  checkpoint: Checkpoint,
  text: string,
  unknown: "error" | "skip" = "error",
) {
  const file = path.join(path.dirname(place.text), "scored.txt");
  await writeFile(file, text);
  return evaluated(checkpoint, { files: [file], unknown, backend: "wasm" });
}

/** Of all but the first character. */
function predictionsOf({ config, vocabulary, tensors }: Checkpoint, text: string) {
  return predictions(config.model, tensors, vocabulary.encode(text));
}

function modelFor(vocabulary: Vocabulary): CharRnn {
  const config = modelConfig({
    cell: "gru",
    layers: 1,
    hiddenSize: 8,
    embeddingSize: 0,
    vocabularySize: vocabulary.size,
  });
  return initialModel(wasmBackend(), config, Random.fromSeed(6));
}

function* inOneLane(tokens: ArrayLike<number>): Generator<Batch> {
  const length = 100;
  for (let start = 0; start + 1 < tokens.length; start += length) {
    const time = Math.min(length, tokens.length - 1 - start);
    const from = (offset: number) =>
      Int32Array.from({ length: time }, (_, step) => tokens[start + offset + step]);
    const startsFresh = start === 0;
    const before = Int32Array.from(
      { length: CHARACTERS_BEFORE },
      (_, at) => tokens[start - CHARACTERS_BEFORE + at] ?? NOTHING_BEFORE,
    );
    yield { inputs: from(0), targets: from(1), before, time, batch: 1, startsFresh };
  }
}

function codePointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
