import { reportOf } from "../backends/select.js";
import type { ModelConfig } from "../config/model.js";
import type { PresetName } from "../config/names.js";
import { parameterCount } from "../config/parameters.js";
import type { RunConfig } from "../config/run.js";
import { type Speed, secondsFor } from "../planning/forecast.js";
import { presetModel } from "../planning/presets.js";
import { stepsOfEpoch } from "../planning/run-length.js";
import type { EndEvent, StartEvent } from "./events.js";
import { finalScores } from "./final-scores.js";
import type { Run } from "./run.js";
import { endReached } from "./run-end.js";

/**
 * What the run will do, with the speed that the trial measured.
 *
 * @throws the signal's reason once it is aborted
 */
export async function startEvent(run: Run, signal: AbortSignal | undefined): Promise<StartEvent> {
  const { folder, config, corpus, progress, selected, batches, speed } = run;
  const stepsPerEpoch = await stepsOfEpoch(config, batches, progress.epoch, signal);
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
    processes: run.processes,
    choice: run.choice,
    preset: presetOf(config),
    step,
    totalSteps,
    stepsPerEpoch,
    // The trial has made every array that training needs.
    expectedBytes: process.memoryUsage.rss(),
    expectedSeconds: stepsLeft && secondsFor(stepsLeft, speed, config.training.evalEvery),
    seconds: run.clock(),
  };
}

/** The preset of a run, where its model has the sizes of it. */
function presetOf({ model, text, training }: RunConfig): PresetName | undefined {
  const { preset } = training;
  const usual: ModelConfig = presetModel(preset, model.vocabularySize, text.trainCharacters);
  const names = Object.keys({ ...usual, ...model }) as (keyof ModelConfig)[];
  return names.every((name) => model[name] === usual[name]) ? preset : undefined;
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
