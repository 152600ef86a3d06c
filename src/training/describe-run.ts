import { reportOf } from "../backends/select.js";
import { parameterCount } from "../config/model.js";
import { type Speed, secondsFor } from "../planning/forecast.js";
import { paceOf } from "../planning/run-length.js";
import { generate } from "../sampling/sampler.js";
import { Turns } from "../turns.js";
import type { EndEvent, SampleEvent, StartEvent } from "./events.js";
import { finalScores } from "./final-scores.js";
import type { Run } from "./run.js";
import { endReached } from "./run-end.js";

const SAMPLE = { length: 200, temperature: 0.8, topK: 0, topP: 1, count: 1 };

/**
 * What the run will do, with the speed that the trial measured.
 *
 * @throws the signal's reason once it is aborted
 */
export async function startEvent(run: Run, signal: AbortSignal | undefined): Promise<StartEvent> {
  const { folder, config, corpus, progress, selected, batches, speed } = run;
  const pace = await paceOf(config, batches, progress.epoch, signal);
  const { step, totalSteps } = progress;
  const stepsLeft = totalSteps && Math.max(totalSteps - step, 0);
  return {
    event: "start",
    name: folder.name,
    path: folder.path,
    config,
    vocabularySize: corpus.vocabulary.size,
    parameters: parameterCount(config.model),
    backend: reportOf(selected),
    choice: run.choice,
    step,
    totalSteps,
    stepsPerEpoch: pace.stepsPerEpoch,
    // The trial has made every array that training needs.
    expectedBytes: process.memoryUsage.rss(),
    expectedSeconds: stepsLeft && secondsFor(stepsLeft, speed, pace),
    seconds: run.clock(),
  };
}

/** What the model writes at an evaluation. */
export async function sampleEvent({
  evalModel,
  corpus,
  random,
  progress: { step },
}: Run): Promise<SampleEvent> {
  const { vocabulary, documents } = corpus;
  const options = { ...SAMPLE, documents };
  const turns = new Turns();
  let text = "";
  for (const [character = ""] of generate(
    evalModel,
    vocabulary,
    options,
    random.fork("sample", step),
  )) {
    text += character;
    if (turns.isDue()) await turns.take();
  }
  return { event: "sample", step, text };
}

/**
 * How the run ended.
 *
 * @param speed as the run has shown it
 * @param signal aborted: nothing more is scored, and that was the reason
 */
export async function endEvent(
  run: Run,
  reason: EndEvent["reason"],
  speed: Speed,
  signal: AbortSignal | undefined,
): Promise<EndEvent> {
  const { progress, folder, config } = run;
  const { counting, characters, validationCharacters } = config.text;
  const path = progress.bestLoss === undefined ? folder.last : folder.best;
  const isNew = reason !== "done";
  const scores =
    reason === "interrupted" ? {} : await finalScores(run, path, { isNew, speed, signal });
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
    ...scores,
    totalSteps: progress.totalSteps,
    replan: progress.replan,
    counting,
    characters,
    validationCharacters,
    path,
    seconds: run.clock(),
  };
}

/** The epoch of the last step taken, from 1. */
export function epochOf({ progress }: Run): number {
  return progress.batch === 0 ? Math.max(progress.epoch, 1) : progress.epoch + 1;
}
