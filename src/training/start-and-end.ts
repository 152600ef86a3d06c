import { readCheckpoint } from "../checkpoint/checkpoint.js";
import { evaluationBatches } from "../data/batches.js";
import { CharRnn } from "../model/char-rnn.js";
import { parameterCount } from "../model/config.js";
import { loadWeights } from "../model/load-weights.js";
import { lossLimitReached } from "./early-stopping.js";
import { evaluate } from "./evaluate.js";
import type { EndEvent, StartEvent } from "./events.js";
import { secondsFor } from "./forecast.js";
import type { Run } from "./run.js";

/** What the run is about to do, by what the trial showed. */
export function startOf(run: Run): StartEvent {
  const { folder, config, corpus, progress, backend, batches, speed } = run;
  const stepsPerEpoch = Math.ceil(
    batches.batchesInEpoch(progress.epoch) / config.training.accumulate,
  );
  const { step, totalSteps } = progress;
  const stepsLeft = totalSteps && Math.max(totalSteps - step, 0);
  return {
    event: "start",
    name: folder.name,
    path: folder.path,
    config,
    vocabularySize: corpus.vocabulary.size,
    parameters: parameterCount(config.model),
    backend,
    choice: run.choice,
    step,
    totalSteps,
    stepsPerEpoch,
    // The trial has made every array that training needs.
    expectedBytes: process.memoryUsage.rss(),
    expectedSeconds:
      stepsLeft && secondsFor(stepsLeft, speed, config.training.evalEvery, stepsPerEpoch),
  };
}

/**
 * How the run ended.
 *
 * @param signal aborted: the test part is not scored, and that was the reason
 */
export async function endOf(
  run: Run,
  reason: EndEvent["reason"],
  clock: () => number,
  signal: AbortSignal | undefined,
): Promise<EndEvent> {
  const { progress, folder } = run;
  const { counting, characters, validationCharacters } = run.config.text;
  const path = progress.bestLoss === undefined ? folder.last : folder.best;
  const tested = reason === "interrupted" ? undefined : await testLoss(run, path, signal);
  return {
    event: "end",
    step: progress.step,
    epoch: epochOf(run),
    reason: signal?.aborted ? "interrupted" : reason,
    reached: endReached(run),
    loss: progress.trainingLoss,
    validationLoss: progress.validationLoss,
    bestLoss: progress.bestLoss,
    bestStep: progress.bestStep,
    droppedSteps: progress.droppedSteps,
    testLoss: tested,
    counting,
    characters,
    validationCharacters,
    path,
    seconds: clock(),
  };
}

/**
 * The loss of a checkpoint on the test part, nats/character; undefined where there is none, and when
 * `signal` stops it.
 */
async function testLoss(
  { corpus, config }: Run,
  path: string,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const { test, documents, vocabulary } = corpus;
  if (test.tokens.length === 0) return undefined;
  const model = new CharRnn(config.model);
  try {
    loadWeights(model, (await readCheckpoint(path)).tensors);
    const batches = evaluationBatches(test.tokens, documents, vocabulary);
    const score = await evaluate(model, batches, signal);
    return score && score.loss / score.characters;
  } finally {
    model.dispose();
  }
}

/** The epoch of the last step taken, from 1. */
export function epochOf({ progress }: Run): number {
  return progress.batch === 0 ? Math.max(progress.epoch, 1) : progress.epoch + 1;
}

/** Why a run is over; undefined while it is not. */
export function endReached({
  config,
  progress,
}: Pick<Run, "config" | "progress">): EndEvent["reached"] {
  const byLoss = lossLimitReached(config.limits, progress);
  if (byLoss) return byLoss;
  if (progress.totalSteps === undefined || progress.step < progress.totalSteps) return undefined;
  const { epochs, steps } = config.limits;
  if (steps !== undefined && progress.step >= steps) return "steps";
  if (epochs !== undefined && progress.epoch >= epochs) return "epochs";
  return "max-time";
}
