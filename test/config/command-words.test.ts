import assert from "node:assert/strict";
import { test } from "node:test";
import { trainCommandLine } from "#src/config/command-words.js";

test("The command of a run has its files, then each option that was given, as they are typed", () => {
  assert.equal(trainCommandLine({ files: ["book.txt"] }), "charnn train book.txt");
  assert.equal(
    trainCommandLine({
      ...{ files: ["my book.txt", "-x", "-"], name: "night", hiddenSize: 32 },
      ...{
        tensorboard: true,
        overwrite: false,
        samples: false,
        steps: 9,
        replan: [{ step: 3, steps: 9 }],
      },
    }),
    "charnn train 'my book.txt' ./-x - --hidden-size 32 --steps 9 --replan 3:9 --name night --no-samples --tensorboard",
  );
});

test("The command of a fold is that of the whole cross-validation", () => {
  assert.equal(
    trainCommandLine({ files: ["a"], name: "x-fold-2", fold: { index: 2, of: 3 } }),
    "charnn train a --name x --cross-validate 3",
  );
});
