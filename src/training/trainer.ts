/**
 * Training, from the settings to the last checkpoint. `newRun` turns a text into batches and makes a model for it;
 * `resumeRun` restores both from a checkpoint. `trainLoop` then takes steps: each improves the weights by the gradients
 * of a batch or a few. From time to time the held-out part is scored, and the run is saved.
 */
import { cleanUpAfter, cleanUpOnFailure } from "../clean-up.js";
import { startClock } from "../clock.js";
import { MAX_BAD_STEPS } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { Inputs } from "../data/inputs.js";
import { inMemoryThroughout } from "../memory.js";
import { learningRateAt } from "../optimization/schedule.js";
import type { PlanOptions } from "../planning/corpus-settings.js";
import { FIXED, trainingOutOfMemory, trainingShape } from "../planning/memory-need.js";
import { alone } from "../ranks/alone.js";
import { joinAll } from "../ranks/join.js";
import { openBackendOf } from "../ranks/open-backend.js";
import type { RankZero } from "../ranks/rank-zero.js";
import { unlessAborted } from "../turns.js";
import type { Command } from "./commands.js";
import { endEvent, startEvent } from "./describe-run.js";
import type { EvalEvent, StepEvent, TrainingEvent } from "./events.js";
import { explosion, isValidationExploded } from "./explosion.js";
import { leading, openTogether, scoreTogether, stepTogether } from "./lead.js";
import { newRun } from "./new-run.js";
import { whilePreparing } from "./preparing.js";
import { isEvaluationDue, isSaveDue, noteEvaluation, noteStep } from "./progress.js";
import { recorded } from "./recorders.js";
import { findRunToResume, resumeRun } from "./resume-run.js";
import { rollBack } from "./roll-back.js";
import type { Run } from "./run.js";
import { endReached, endReason } from "./run-end.js";
import { Samples } from "./samples.js";
import { Saver } from "./saver.js";
import { checkedTrainSettings, type TogetherOptions, type TrainOptions } from "./settings.js";
import { Timekeeper } from "./timekeeper.js";
import { forRanks } from "./workers-of-ranks.js";

/**
 * Trains a model, and yields what happens as events.
 *
 * @throws CharnnError for what is wrong with the settings, the text, the run's folder or its
 *   checkpoint, and `DIVERGED` when going back with a lower learning rate does not help either; the
 *   reason of a signal that is aborted before the first step
 */
export function train(
  settings: TrainSettings,
  options: TrainOptions = {},
): AsyncGenerator<TrainingEvent, void> {
  return trainTogether(settings, options);
}

/**
 * The same in all ranks: this is rank 0, and the others follow.
 *
 * @throws CharnnError also for what is wrong with another rank
 */
export async function* trainTogether(
  settings: TrainSettings,
  {
    ranks = alone(),
    signal,
    stdin,
    inputs,
    onPreparation,
    clock = startClock(),
  }: TogetherOptions = {},
): AsyncGenerator<TrainingEvent, void> {
  const checked = checkedTrainSettings(settings);
  const run = yield* whilePreparing(
    (preparing) =>
      prepareRun(checked, leading(ranks), { ...preparing, stdin, inputs, onPreparation, clock }),
    signal,
  );
  const events = inMemoryThroughout(trainLoop(run, checked, signal), (cause) =>
    trainingOutOfMemory(trainingShape(run.config, run.selected.backend, ranks), cause, FIXED),
  );
  yield* cleanUpAfter(recorded(events, run, settingsToRepeat(checked, run)), () => run.close());
}

/** A new run, or with `resume` one that goes on from its last checkpoint. */
async function prepareRun(
  settings: TrainSettings,
  rankZero: RankZero<Command>,
  given: Omit<PlanOptions, "rankZero">,
): Promise<Run> {
  const { ranks } = rankZero;
  const { resume = false, name, backend: wanted = TRAIN_DEFAULTS.backend, threads } = settings;
  // The text is read to find the run, and once more to train on it.
  const readsAgain = resume && name === undefined;
  const inputs = given.inputs ?? (readsAgain ? new Inputs(given.stdin) : undefined);
  const onProgress = (fraction: number) => given.onPreparing?.("reading", fraction);
  const options = { ...given, rankZero, inputs, onProgress };
  given.onPreparation?.("reading");
  const selected = await openBackendOf(ranks, wanted, threads);
  const processes = await joinAll(rankZero, selected, threads);
  const leftOut: string[] = [];
  const folder = resume ? await findRunToResume(settings, leftOut, options) : undefined;
  const run = folder
    ? await resumeRun(folder, settings, selected, options)
    : await newRun(forRanks(settings, ranks), selected, options);
  run.warnings = [...(ranks.cores?.warnings ?? []), ...leftOut, ...run.warnings];
  if (processes) {
    const { secondsPerStep, secondsToExchange } = run.speed;
    run.processes = { ...processes, exchangeShare: secondsToExchange / (secondsPerStep || 1) };
  }
  return cleanUpOnFailure(
    async () => {
      await openTogether(run);
      return run;
    },
    () => run.close(),
  );
}

/** The settings of a run, with its number of workers where that comes from how it was started. */
function settingsToRepeat(settings: TrainSettings, { ranks, config }: Run): TrainSettings {
  return ranks.size === 1 ? settings : { ...settings, workers: config.training.workers };
}

/** Steps, evaluations and checkpoints. Everything about the path of a run is a function of its step. */
async function* trainLoop(
  run: Run,
  settings: TrainSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const { saveEvery, keep = TRAIN_DEFAULTS.keep } = settings;
  for (const message of run.warnings) yield { event: "warning", message };
  const saver = new Saver(run, keep);
  const samples = new Samples(run, settings);
  if (endReached(run) && !isEvaluationDue(run)) {
    // A run that is past its new limits keeps them, or it would go on when it is resumed again.
    yield* saver.saveAtEnd(run.wouldGoOn);
    yield await endEvent(run, "done", run.speed, signal);
    return;
  }
  yield await startEvent(run, signal);

  const time = new Timekeeper(run, settings);
  // A run that is resumed may have been killed between a step and its evaluation.
  yield* evaluateOrSave(run, saver, samples, saveEvery, time, signal);
  while (!endReason(run, signal)) {
    const step = await trainStep(run, time, signal);
    if (!step) break;
    yield step;
    if (run.progress.badSteps >= MAX_BAD_STEPS) yield* goBackAfter(run, saver, step);
    time.noteStep();
    if (time.isReplanDue()) yield* replan(saver, time, signal);
    yield* samples.afterStep();
    yield* evaluateOrSave(run, saver, samples, saveEvery, time, signal);
  }
  yield* finish(run, saver, time, signal);
}

/**
 * One step of all processes.
 *
 * @returns undefined when the signal stopped it: the run is then as it was before
 */
async function trainStep(
  run: Run,
  time: Timekeeper,
  signal: AbortSignal | undefined,
): Promise<StepEvent | undefined> {
  const { progress, config, clock } = run;
  const start = clock();
  const epoch = progress.epoch + 1;
  const learningRate = learningRateAt(progress, config.training);
  const result = await stepTogether(run, learningRate, signal);
  if (!result) return undefined;
  const { score, gradientNorm } = result;
  const dropped = !Number.isFinite(gradientNorm);
  const loss = noteStep(run, score, dropped);
  const { step } = progress;
  time.noteTrained(score.characters, start);
  const { charsPerSecond } = time;
  const seconds = clock();
  return {
    ...{ event: "step", step, epoch, loss, learningRate, gradientNorm, dropped },
    ...{ charsPerSecond, seconds },
  };
}

/** An evaluation where one is due, and otherwise a checkpoint where that is. */
async function* evaluateOrSave(
  run: Run,
  saver: Saver,
  samples: Samples,
  saveEvery: number | undefined,
  time: Timekeeper,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const isDue = isEvaluationDue(run);
  if (isSaveDue(run, saveEvery, isDue, time.saveAge(isDue))) {
    yield* time.saving(saver.saveLast());
  }
  if (!isDue) return;
  const evaluated = yield* evaluate(run, saver, samples, signal);
  time.noteEvaluation();
  if (!evaluated) return;
  if (time.mayWait && saver.canWait() && !endReached(run))
    await saver.waitWithEvaluated(evaluated.best);
  else yield* time.saving(saver.saveEvaluated(evaluated.best));
}

/**
 * Scores the validation part, and writes a sample.
 *
 * @returns undefined when interrupted, or when the run has gone back
 */
async function* evaluate(
  run: Run,
  saver: Saver,
  samples: Samples,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, EvalEvent | undefined> {
  const { progress } = run;
  const score = await scoreTogether(run, signal);
  if (!score) return undefined;
  const loss = score.loss / score.characters;
  if (!Number.isFinite(score.loss)) {
    yield* goBack(run, saver, `the validation loss is ${score.loss}`);
    return undefined;
  }
  if (isValidationExploded(loss, run)) {
    yield* goBack(run, saver, explosion("the validation loss", loss, run), true);
    return undefined;
  }
  // A run that is killed between its first best checkpoint and its first last one could not be resumed.
  if (progress.bestLoss === undefined) yield* warningsOf(saver.saveFirst());
  const evaluated = noteEvaluation(run, score);
  yield evaluated;
  yield* samples.afterEvaluation();
  return evaluated;
}

async function* warningsOf(
  events: AsyncIterable<TrainingEvent>,
): AsyncGenerator<TrainingEvent, void> {
  for await (const event of events) if (event.event === "warning") yield event;
}

/** Takes a run back that has had too many bad steps in a row. */
async function* goBackAfter(
  run: Run,
  saver: Saver,
  step: StepEvent,
): AsyncGenerator<TrainingEvent, void> {
  const what = step.dropped
    ? "the loss or its gradient was not finite"
    : explosion("the loss", step.loss, run);
  yield* goBack(run, saver, `${what} ${MAX_BAD_STEPS} times in a row`, !step.dropped);
}

/** @param sign what showed that the run has gone wrong */
async function* goBack(
  run: Run,
  saver: Saver,
  sign: string,
  exploded = false,
): AsyncGenerator<TrainingEvent, void> {
  yield* saver.saveWaitingBest();
  yield { event: "warning", message: await rollBack(run, sign, exploded) };
}

/** Fits the number of steps to the time that is left. */
async function* replan(
  saver: Saver,
  time: Timekeeper,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const replanned = await unlessAborted(time.replan(signal), signal);
  if (!replanned) return;
  // A run that is killed is resumed with the numbers that it has reported, but for those after its last save.
  if (replanned.isNoted && !time.mayWait) yield* time.saving(saver.saveLast());
  if (replanned.event) yield replanned.event;
}

/** Saves where that was not done, and scores what is to be scored once. */
async function* finish(
  run: Run,
  saver: Saver,
  time: Timekeeper,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const { step, evaluatedAt } = run.progress;
  // A run that has taken no step is none.
  if (step === 0) signal?.throwIfAborted();
  yield* saver.saveAtEnd(step === 0 || evaluatedAt !== step);
  yield await endEvent(run, endReason(run, signal) ?? "interrupted", time.speed, signal);
}
