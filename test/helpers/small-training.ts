import { createHash } from "node:crypto";
import type { Backend } from "#src/backends/backend.js";
import { openBackend } from "#src/backends/select.js";
import type { CellName } from "#src/config/cells.js";
import { modelConfig } from "#src/config/model.js";
import type { BackendName } from "#src/config/names.js";
import { type Batch, nothingBefore } from "#src/data/batch.js";
import { type Dropout, NO_DROPOUT } from "#src/model/dropout.js";
import { parameterArray } from "#src/model/parameters.js";
import { createOptimizer } from "#src/optimization/optimizer.js";
import { Random } from "#src/random.js";
import { initialModel } from "./models.js";
import { Draw } from "./numbers.js";

/** Drops nothing. */
export function nothingDropped(): Dropout {
  return { rates: NO_DROPOUT, random: Random.fromSeed(0) };
}

/** Drops something everywhere. */
export function muchDropped(seed: number): Dropout {
  const rates = { dropout: 0.4, inputDropout: 0.2, recurrentDropout: 0.3, weightDropout: 0.1 };
  return { rates, random: Random.fromSeed(seed) };
}

/** How an optimizer takes its steps in tests. */
export const STEPS = {
  clipNorm: 0.3,
  clipValue: 0.05,
  weightDecay: 0.01,
  averageDecay: 0.9,
} as const;

const VOCABULARY = 30;

/** A small model that can be trained step by step, with all that its training takes. */
export function smallTraining(backend: Backend, cell: CellName = "lstm") {
  const config = modelConfig({
    cell,
    layers: 2,
    hiddenSize: 64,
    embeddingSize: 8,
    vocabularySize: VOCABULARY,
  });
  const model = initialModel(backend, config, Random.fromSeed(1));
  const gradients = parameterArray(backend, config);
  const optimizer = createOptimizer(backend, config, { optimizer: "adam", ...STEPS });
  const average = parameterArray(backend, config);
  const draw = new Draw(1);
  let steps = 0;
  const step = (time: number, batch: number): void => {
    steps++;
    const inputs = draw.tokens(time * batch, VOCABULARY);
    const targets = draw.tokens(time * batch, VOCABULARY);
    const before = nothingBefore(batch);
    const window: Batch = { inputs, targets, before, time, batch, startsFresh: true };
    const state = model.zeroState(batch);
    const learned = model.lossAndGradients(window, state, gradients, muchDropped(steps));
    optimizer.step({ parameters: model.parameters, gradients, average }, 0.01, steps);
    model.score(window, learned.state);
  };
  return { model, gradients, average, optimizer, step };
}

/**
 * Trains for some steps.
 *
 * @returns the hash of the weights
 */
export async function trainForHash(
  backend: BackendName,
  threads: number,
  steps: number,
): Promise<string> {
  const { model, step } = smallTraining(await openBackend(backend, threads));
  for (let i = 0; i < steps; i++) step(5, 1 + (i % 9));
  model.openDecodeSession(3).step(Int32Array.of(1, 2, 3));
  return createHash("sha256").update(model.parameters.read()).digest("hex");
}
