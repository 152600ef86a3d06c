/** Kernels in JavaScript end early when a signal of the system asks for it, and nothing is half done. */
import assert from "node:assert/strict";
import { afterEach } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import { stopKernelsBy } from "#src/backends/stop.js";
import { TensorFlowBackend } from "#src/backends/tensorflow/tensorflow-backend.js";
import { modelConfig } from "#src/config/model.js";
import { type Batch, nothingBefore } from "#src/data/batch.js";
import { parameterArray } from "#src/model/parameters.js";
import { createOptimizer } from "#src/optimization/optimizer.js";
import { Random } from "#src/random.js";
import { isStopped } from "#src/turns.js";
import { initialModel } from "../helpers/models.js";
import { Draw } from "../helpers/numbers.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";
import { nothingDropped, STEPS } from "../helpers/small-training.js";

const [TIME, BATCH, VOCABULARY] = [6, 4, 9];

// Its kernels are the addon's, which looks by itself.
const EXCEPT_NATIVE = { except: "native" } as const;

const flag = Uint8Array.of(0);
afterEach(() => {
  flag[0] = 0;
});

for (const cell of ["gru", "lstm", "rnn"] as const) {
  testOnEveryBackend(
    `a signal stops the kernels of ${cell} cells, and they run as before when it was heard`,
    (backend) => {
      stopKernelsBy(flag);
      const { model, gradients, learn, score } = training(backend, cell);
      score();
      const first = learn();
      const expected = gradients.read().slice();
      const tensors = tensorsIn(backend);
      for (const kernels of [learn, score]) {
        flag[0] = 1;
        assert.throws(kernels, isStopped);
        flag[0] = 0;
        kernels();
      }
      assert.equal(learn(), first);
      assert.deepEqual(gradients.read(), expected);
      assert.equal(tensorsIn(backend), tensors);
      model.dispose();
    },
    EXCEPT_NATIVE,
  );

  testOnEveryBackend(
    `a signal leaves a step of the optimizer of ${cell} cells, and decode sessions, alone`,
    (backend) => {
      stopKernelsBy(flag);
      const weightsAfter = (isStopping: boolean) => {
        const { model, gradients, config, learn } = training(backend, cell);
        const optimizer = createOptimizer(backend, config, { optimizer: "adam", ...STEPS });
        const average = parameterArray(backend, config);
        learn();
        flag[0] = Number(isStopping);
        optimizer.step({ parameters: model.parameters, gradients, average }, 0.01, 1);
        const session = model.openDecodeSession(2);
        const logits = session.step(Int32Array.of(1, 2)).slice();
        const weights = model.parameters.read().slice();
        flag[0] = 0;
        session.dispose();
        model.dispose();
        return { weights, logits };
      };
      assert.deepEqual(weightsAfter(true), weightsAfter(false));
    },
    EXCEPT_NATIVE,
  );
}

/** How many tensors TensorFlow holds; the memory of other backends is the garbage collector's. */
function tensorsIn(backend: Backend): number {
  return backend instanceof TensorFlowBackend ? backend.runtime.binding.getNumOfTensors() : 0;
}

function training(backend: Backend, cell: "gru" | "lstm" | "rnn") {
  const config = modelConfig({
    ...{ cell, layers: 2, hiddenSize: 5, embeddingSize: 3, vocabularySize: VOCABULARY },
  });
  const model = initialModel(backend, config, Random.fromSeed(1));
  const gradients = parameterArray(backend, config);
  const draw = new Draw(2);
  const batch: Batch = {
    inputs: draw.tokens(TIME * BATCH, VOCABULARY),
    targets: draw.tokens(TIME * BATCH, VOCABULARY),
    ...{ before: nothingBefore(BATCH), time: TIME, batch: BATCH, startsFresh: true },
  };
  const learn = () =>
    model.lossAndGradients(batch, model.zeroState(BATCH), gradients, nothingDropped()).score.loss;
  const score = () => model.score(batch, model.zeroState(BATCH)).score.loss;
  return { config, model, gradients, learn, score };
}
