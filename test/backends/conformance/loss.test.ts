/** The decoder: logits, softmax and cross-entropy, and their gradients. */

import assert from "node:assert/strict";
import type { Backend, Workspace } from "#src/backends/backend.js";
import { assertClose, assertSameBytes, numbersOf } from "../../helpers/numbers.js";
import { testOnEveryBackend } from "../../helpers/on-every-backend.js";
import { assertAll, assertGradient, assertNear, isAll, onceFor } from "./comparisons.js";
import { definedLoss, describeLoss, drawLoss, type LossCase, lossCases } from "./losses.js";

/** Numbers for a case, and what the definition gives for them. */
const defined = new Map<string, { drawn: LossCase; expected: ReturnType<typeof definedLoss> }>();

for (const { sizes, isSmall } of lossCases(isAll)) {
  const sentence = `${describeLoss(sizes)}, equals its definition`;
  testOnEveryBackend(sentence, (backend, draw) => {
    const { drawn, expected } = onceFor(defined, sentence, () => {
      const drawn = drawLoss(sizes, draw);
      return { drawn, expected: definedLoss(drawn, isSmall) };
    });
    const { decoder } = drawn;
    const learned = learn(backend, decoder);
    assertNear(learned.losses, expected.losses, "losses");
    for (const name of ["input", "weight", "bias"] as const) {
      assertGradient(learned.gradients[name], expected.gradients[name], `gradient of ${name}`);
    }
    const { losses, predictions, ranks, logits } = score(backend, decoder);
    assertSameBytes(losses, learned.losses, "losses without gradients");
    assertSameBytes(predictions, learned.predictions, "predictions without gradients");
    assertNear(logits, expected.logits, "logits");
    assert.equal(ranks.length, decoder.targets.length);
    for (const position of decoder.targets.keys()) {
      const [prediction, rank] = [expected.predictions[position], expected.ranks[position]];
      if (!Number.isNaN(prediction)) assert.equal(predictions[position], prediction);
      if (!Number.isNaN(rank)) assert.equal(ranks[position], rank);
    }
  });
}

testOnEveryBackend(
  "a position whose target is below 0 is neither scored nor learned from",
  (backend, draw) => {
    const { decoder: loss } = drawLoss(
      { time: 3, batch: 2, hidden: 5, vocabulary: 4, isMasked: false },
      draw,
    );
    loss.targets.set([1, -1, 3, -7, 0, 2]);
    const actual = learn(backend, loss);
    for (const position of [1, 3]) {
      assert.equal(actual.losses[position], 0);
      const own = actual.gradients.input.subarray(position * 5, position * 5 + 5);
      assert.deepEqual([...own].map(Math.abs), [0, 0, 0, 0, 0]);
    }
    const scored = [0, 2, 4, 5];
    const alone = learn(backend, {
      ...loss,
      time: 4,
      batch: 1,
      input: Float32Array.from(scored.flatMap((p) => [...loss.input.subarray(p * 5, p * 5 + 5)])),
      targets: Int32Array.from(scored, (position) => loss.targets[position]),
    });
    assertClose(actual.gradients.bias, alone.gradients.bias, 1e-6, "bias gradient of the others");
    assertClose(actual.gradients.weight, alone.gradients.weight, 1e-6, "weight gradient");
  },
);

testOnEveryBackend("a batch without any target has gradients of zero", (backend, draw) => {
  const { decoder: loss } = drawLoss(
    { time: 2, batch: 3, hidden: 5, vocabulary: 4, isMasked: false },
    draw,
  );
  loss.targets.fill(-1);
  const { losses, gradients } = learn(backend, loss);
  for (const [name, values] of Object.entries({ losses, ...gradients })) {
    assert.ok(
      values.every((value) => value === 0),
      `${name}: ${values}`,
    );
  }
});

testOnEveryBackend("of equally likely tokens the first is predicted", (backend, draw) => {
  const { decoder: loss } = drawLoss(
    { time: 1, batch: 2, hidden: 3, vocabulary: 40, isMasked: false },
    draw,
  );
  loss.weight.fill(0);
  loss.bias.fill(-1);
  for (const token of [9, 17, 38]) loss.bias[token] = 2;
  loss.targets.set([38, 0]);
  const { predictions, ranks } = score(backend, loss);
  assert.deepEqual([...predictions], [9, 9]);
  assert.deepEqual([...ranks], [2, 3]);
  loss.targets.set([-1, 39]);
  assert.deepEqual([...score(backend, loss).ranks], [0, 39]);
  loss.bias.fill(0);
  assert.deepEqual([...score(backend, loss).predictions], [0, 0]);
});

testOnEveryBackend(
  "logits far beyond what an exponential can hold give finite losses and gradients",
  (backend, draw) => {
    const { decoder: loss } = drawLoss(
      { time: 2, batch: 1, hidden: 3, vocabulary: 4, isMasked: false },
      draw,
    );
    loss.weight.fill(0);
    loss.bias.set([30_000, -30_000, 29_998, 0]);
    loss.targets.set([2, 1]);
    const { losses, gradients } = learn(backend, loss);
    const logSum = 30_000 + Math.log1p(Math.exp(-2));
    assertClose(losses, [logSum - 29_998, logSum + 30_000], 1e-4, "losses");
    const p = 1 / (1 + Math.exp(-2));
    assertNear(gradients.bias, [p, -0.5, 0.5 - p, 0], "bias gradient");
  },
);

testOnEveryBackend(
  "a decoder gives the same bytes twice, also after more positions than these",
  (backend, draw) => {
    const { decoder: few } = drawLoss(
      { time: 3, batch: 1, hidden: 7, vocabulary: 9, isMasked: true },
      draw,
    );
    const { decoder: many } = drawLoss(
      { time: 50, batch: 3, hidden: 7, vocabulary: 9, isMasked: true },
      draw,
    );
    const fresh = learn(backend, few);
    const workspace = backend.createWorkspace();
    learn(backend, many, workspace);
    const { bytes } = workspace;
    for (const what of ["after more positions", "once more"]) {
      const again = learn(backend, few, workspace);
      assertSameBytes(again.losses, fresh.losses, `losses ${what}`);
      assertSameBytes(again.predictions, fresh.predictions, `predictions ${what}`);
      assertAll(assertSameBytes, again.gradients, fresh.gradients, what);
    }
    assert.equal(workspace.bytes, bytes);
    workspace.dispose();
  },
);

/** Copies of what the decoder gives with gradients. */
function learn(
  backend: Backend,
  loss: LossCase["decoder"],
  workspace: Workspace = backend.createWorkspace(),
) {
  // What was in a gradient before must not matter.
  const gradientWeight = new Float32Array(loss.weight.length).fill(7);
  const gradientBias = new Float32Array(loss.bias.length).fill(7);
  const outputs = backend.linearCrossEntropy(loss, { gradientWeight, gradientBias }, workspace);
  const { losses, predictions, gradientInput } = outputs;
  return {
    losses,
    predictions,
    gradients: { input: numbersOf(gradientInput), weight: gradientWeight, bias: gradientBias },
  };
}

function score(backend: Backend, loss: LossCase["decoder"]) {
  // What was there before must not matter.
  const logits = new Float32Array(loss.targets.length * loss.bias.length).fill(7);
  const scores = backend.linearCrossEntropyScores(loss, backend.createWorkspace(), logits);
  return { ...scores, logits };
}
