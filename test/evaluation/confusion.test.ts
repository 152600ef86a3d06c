import assert from "node:assert/strict";
import { test } from "node:test";
import { nothingBefore } from "#src/data/batch.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { ConfusionMatrix } from "#src/evaluation/confusion.js";
import { assertClose } from "../helpers/numbers.js";

const vocabulary = Vocabulary.fromCodePoints(Array.from("abcde", (test) => test.charCodeAt(0)));

function tallied(pairs: readonly (readonly [target: number, prediction: number, rank: number])[]) {
  const confusion = new ConfusionMatrix(vocabulary);
  const column = (k: number) => Int32Array.from(pairs, (pair) => pair[k]);
  const before = nothingBefore(1);
  const shape = { inputs: column(0), before, time: pairs.length, batch: 1, startsFresh: true };
  const losses = new Float32Array(pairs.length);
  confusion.add(
    { ...shape, targets: column(0) },
    { losses, predictions: column(1), ranks: column(2) },
  );
  return confusion.finish();
}

// Figures of scikit-learn: precision_recall_fscore_support(targets, predictions,
// average="macro", zero_division=0).
test("The confusion matrix has the macro figures of scikit-learn", () => {
  const { macroPrecision, macroRecall, macroF1 } = tallied([
    [0, 0, 0],
    [0, 1, 3],
    [1, 1, 0],
    [1, 1, 0],
    [2, 0, 1],
    [3, 0, 1],
    [3, 3, 0],
    [0, 0, 0],
  ]);
  assertClose(
    [macroPrecision, macroRecall, macroF1],
    [13 / 24, 13 / 24, 0.5095238095238095],
    1e-12,
    "macro figures",
  );
});

test("The confusion matrix counts a character that was predicted and never came, but not one that did neither", () => {
  const { macroPrecision, macroRecall, macroF1 } = tallied([
    [0, 0, 0],
    [0, 4, 2],
  ]);
  assert.deepEqual([macroPrecision, macroRecall, macroF1], [0.5, 0.25, 1 / 3]);
});

test("The confusion matrix counts those among the five likeliest, and leaves out positions without a target", () => {
  const { topFiveAccuracy } = tallied([
    [0, 0, 0],
    [0, 1, 4],
    [0, 1, 5],
    [-1, 1, 0],
    [2, 1, 9],
  ]);
  assert.equal(topFiveAccuracy, 0.5);
});

test("The confusion matrix lists the pairs of characters that were confused most often", () => {
  const { confused } = tallied([
    [0, 1, 1],
    [2, 3, 1],
    [2, 3, 1],
    [2, 2, 0],
    [2, 2, 0],
    [1, 0, 1],
  ]);
  assert.deepEqual(confused, [
    { character: "c", predicted: "d", count: 2, share: 0.5 },
    { character: "a", predicted: "b", count: 1, share: 1 },
    { character: "b", predicted: "a", count: 1, share: 1 },
  ]);
});
