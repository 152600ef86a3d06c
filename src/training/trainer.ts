import { areFinite, writeCheckpoint } from "../checkpoint/checkpoint.js";
import { cleanUp, cleanUpAfter } from "../clean-up.js";
import { MAX_BAD_STEPS } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import { bitsPerCharacter, evaluate } from "../evaluation/evaluate.js";
import { inMemoryThroughout } from "../memory.js";
import type { Score } from "../model/char-rnn.js";
import { appendMetrics, isRecorded } from "../runs/metrics.js";
import { keepNewestSteps } from "../runs/run-contents.js";
import { generateByStep } from "../sampling/sampler.js";
import { recordEvents } from "../tensorboard/recorder.js";
import { Turns, unlessAborted } from "../turns.js";
import { noteValidationLoss } from "./early-stopping.js";
import type { EvalEvent, StepEvent, TrainingEvent } from "./events.js";
import { guessingLoss, isExploded, isValidationExploded } from "./explosion.js";
import { learn } from "./learn.js";
import { FIXED, trainingOutOfMemory, trainingShape } from "./memory-need.js";
import { openRun } from "./open-run.js";
import { Pace } from "./pace.js";
import { whilePreparing } from "./preparing.js";
import { isReplanDue, replan } from "./replan.js";
import { diverged, rollBack } from "./roll-back.js";
import { disposeRun, type Run } from "./run.js";
import { learningRateAt } from "./schedule.js";
import { checkedTrainSettings, startClock, type TrainOptions } from "./settings.js";
import { checkpointOf } from "./snapshot.js";
import { SpeedMeter } from "./speed-meter.js";
import { endOf, endReached, epochOf, startOf } from "./start-and-end.js";

/** What the model writes at each evaluation. */
const SAMPLE = { length: 200, temperature: 0.8, topK: 0, topP: 1, count: 1 };

/** A process that was stopped for less has lost nothing. */
const MILLISECONDS_BETWEEN_CHECKS = 1_000;
/** However long a step takes, no more than this and a step is lost when the process is killed. */
const SECONDS_BETWEEN_SAVES = 300;

/**
 * Trains a model, and tells what happens while it does.
 *
 * @throws CharnnError for what is wrong with the settings, the text, the run's folder or its
 *   checkpoint, and `DIVERGED` when going back with a lower learning rate does not help either; the
 *   reason of a signal that is aborted before the first step
 */
export async function* train(
  settings: TrainSettings,
  { signal, stdin, inputs, clock = startClock() }: TrainOptions = {},
): AsyncGenerator<TrainingEvent, void> {
  const checked = checkedTrainSettings(settings);
  const run = yield* whilePreparing(async (onPreparing, left) => {
    const signals = AbortSignal.any(signal ? [signal, left] : [left]);
    const opened = await openRun(checked, { signal: signals, stdin, inputs, clock, onPreparing });
    if (left.aborted)
      await cleanUp(
        () => opened.lock.release(),
        () => disposeRun(opened),
      );
    return opened;
  });
  const events = inMemoryThroughout(recordMetrics(run, trainRun(run, settings, signal)), (cause) =>
    trainingOutOfMemory(trainingShape(run.config, run.backend.name), cause, FIXED),
  );
  yield* cleanUpAfter(
    settings.tensorboard ? recordEvents(run, events) : events,
    () => run.lock.release(),
    () => disposeRun(run),
  );
}

/** The training loop. Everything about the path of a run is a function of its step. */
async function* trainRun(
  run: Run,
  { saveEvery = TRAIN_DEFAULTS.saveEvery, keep = TRAIN_DEFAULTS.keep }: TrainSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const { progress, clock } = run;
  for (const message of run.warnings) yield { event: "warning", message };
  if (endReached(run) && !isEvaluationDue(run)) {
    yield await endOf(run, "done", run.speed, signal);
    return;
  }
  yield await startOf(run, signal);

  const meter = new SpeedMeter();
  let pace = new Pace(clock);
  let speed = run.speed;
  let savedAt = clock();
  while (true) {
    const isDue = isEvaluationDue(run);
    const untilSave = isDue ? (pace.secondsPerEvaluation ?? speed.secondsPerEvaluation) : 0;
    const isSaveLate = clock() - savedAt + untilSave >= SECONDS_BETWEEN_SAVES;
    if (isSavingDue(run, saveEvery, isSaveLate, isDue)) {
      yield await save(run, "last");
      savedAt = clock();
    }
    pace.pass();
    if (isDue) {
      yield* evaluateAndSave(run, keep, signal);
      savedAt = clock();
      pace.addEvaluation();
    }
    if (signal?.aborted || endReached(run)) break;

    const step = await takeStep(run, meter, signal);
    if (!step) break;
    yield step;
    if (progress.badSteps >= MAX_BAD_STEPS) {
      const what = step.dropped
        ? "the loss or its gradient was not finite"
        : `the loss was far above guessing (${shown(step.loss)}, and not ${shown(guessingLoss(run))})`;
      const sign = `${what} ${MAX_BAD_STEPS} times in a row`;
      yield { event: "warning", message: await rollBack(run, sign, !step.dropped) };
    }
    pace.addStep();
    if (isReplanDue(run, pace)) {
      const replanned = await unlessAborted(replan(run, pace, speed, signal), signal);
      if (!replanned) break;
      const { event } = replanned;
      speed = replanned.speed;
      pace = new Pace(clock);
      // At once, so that a run that is killed goes on with the numbers that it has reported.
      if (progress.replan.at(-1)?.step === progress.step) {
        yield await save(run, "last");
        savedAt = clock();
      }
      if (event) yield event;
    }
  }

  // A run that has taken no step is none.
  if (progress.step === 0) signal?.throwIfAborted();
  const isSaved = progress.step > 0 && progress.evaluatedAt === progress.step;
  if (!isSaved) yield await save(run, "last");
  const reason = signal?.aborted ? undefined : endReached(run);
  yield await endOf(run, reason ?? "interrupted", speed, signal);
}

/** Takes a step of the run, and tells how it went; undefined when it was interrupted and undone. */
async function takeStep(
  run: Run,
  meter: SpeedMeter,
  signal: AbortSignal | undefined,
): Promise<StepEvent | undefined> {
  const { progress, clock } = run;
  const start = clock();
  const epoch = progress.epoch + 1;
  const learned = await learn(run, signal);
  if (!learned) return undefined;
  const { score, learningRate, gradientNorm, dropped } = learned;
  const loss = score.loss / score.characters;
  if (dropped) {
    progress.badSteps++;
    progress.droppedSteps++;
  } else {
    if (progress.step === 1) progress.firstLoss = loss;
    progress.badSteps = isExploded(loss, run) ? progress.badSteps + 1 : 0;
    progress.lossSum += score.loss;
    progress.lossCharacters += score.characters;
  }
  const seconds = clock();
  meter.add(score.characters, seconds - start);
  return {
    event: "step",
    step: progress.step,
    epoch,
    loss,
    learningRate,
    gradientNorm,
    dropped,
    charsPerSecond: meter.charsPerSecond,
    seconds,
  };
}

/**
 * Every so many steps, unless an evaluation saves, and where too long ago. Not among steps that are
 * dropped: a run goes back to before them.
 */
function isSavingDue(
  { progress: { step, badSteps, evaluatedAt } }: Run,
  saveEvery: number,
  isLate: boolean,
  isEvaluationDue: boolean,
): boolean {
  if (step === 0 || badSteps > 0 || step === evaluatedAt) return false;
  return isLate || (!isEvaluationDue && step % saveEvery === 0);
}

/**
 * Every so many steps, at the end of each epoch, and at the end of the run. Where a step went wrong then,
 * after the next one that did not, unless the run goes back.
 */
function isEvaluationDue({ progress, config: { training } }: Run): boolean {
  const { step, batch, badSteps, evaluatedAt, totalSteps = Number.POSITIVE_INFINITY } = progress;
  if (step === 0 || step === evaluatedAt) return false;
  if (step >= totalSteps) return true;
  const isPassed = step - (step % training.evalEvery) > evaluatedAt;
  const endsEpoch = batch < training.accumulate;
  return badSteps === 0 && (isPassed || endsEpoch);
}

/** Scores the validation part, shows a sample, saves; does nothing when interrupted. */
async function* evaluateAndSave(
  run: Run,
  keep: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const { scored, progress, folder } = run;
  const score = await evaluate(scored, validationBatches(run, signal), signal);
  if (!score) return;
  if (!Number.isFinite(score.loss)) {
    const sign = `the validation loss is ${score.loss}`;
    yield { event: "warning", message: await rollBack(run, sign) };
    return;
  }
  const validationLoss = score.loss / score.characters;
  if (isValidationExploded(validationLoss, run)) {
    const sign = `the validation loss was far above guessing (${shown(validationLoss)}, and not ${shown(guessingLoss(run))})`;
    yield { event: "warning", message: await rollBack(run, sign, true) };
    return;
  }
  // A run that is killed between its first best checkpoint and its first last one could not be resumed.
  if (progress.bestLoss === undefined) await save(run, "last");
  const evaluated = noteScore(run, score, run.clock());
  yield evaluated;
  yield { event: "sample", step: progress.step, text: await sampleText(run) };
  if (evaluated.best) yield await save(run, "best");
  if (keep > 0) {
    yield await save(run, "step");
    await keepNewestSteps(folder, keep, progress.step);
  }
  yield await save(run, "last");
}

function shown(loss: number): string {
  return Number(loss.toPrecision(3)).toString();
}

/** Takes an evaluation into the run's progress. */
function noteScore(run: Run, score: Score, seconds: number): EvalEvent {
  const { progress, config } = run;
  const { training } = config;
  const validationLoss = score.characters > 0 ? score.loss / score.characters : undefined;
  const learningRate = learningRateAt({ ...progress, step: progress.step - 1 }, training);
  const best = noteValidationLoss(progress, validationLoss, training.schedule);
  const loss = progress.lossCharacters > 0 ? progress.lossSum / progress.lossCharacters : undefined;
  progress.trainingLoss = loss;
  progress.lossSum = 0;
  progress.lossCharacters = 0;
  progress.evaluatedAt = progress.step;
  return {
    event: "eval",
    step: progress.step,
    epoch: epochOf(run),
    loss,
    validationLoss,
    bitsPerCharacter: validationLoss && bitsPerCharacter(validationLoss),
    best,
    learningRate,
    seconds,
  };
}

function validationBatches({ corpus, config }: Run, signal: AbortSignal | undefined) {
  const { validation, documents, vocabulary } = corpus;
  const { evalCharacters: most } = config.training;
  return evaluationBatches(validation.tokens, documents, vocabulary, { most, signal });
}

async function sampleText({ scored, corpus, random, progress }: Run): Promise<string> {
  const { vocabulary, documents } = corpus;
  const stream = random.fork("sample", progress.step);
  const turns = new Turns();
  let text = "";
  for (const [character = ""] of generateByStep(
    scored,
    vocabulary,
    { ...SAMPLE, documents },
    stream,
  )) {
    text += character;
    if (turns.isDue()) await turns.take();
  }
  return text;
}

async function save(run: Run, kind: "last" | "best" | "step"): Promise<TrainingEvent> {
  const { folder, progress } = run;
  const path = kind === "step" ? folder.stepFile(progress.step) : folder[kind];
  const checkpoint = checkpointOf(run);
  // Never in the place of a checkpoint that can be read.
  for (const { name, data } of checkpoint.tensors.values()) {
    if (!(await areFinite(data))) {
      throw await diverged(run, `${name} has numbers that are not finite`);
    }
  }
  await run.lock.check();
  // Once more at the end: the process may have been stopped while it wrote.
  await writeCheckpoint(path, checkpoint, () => run.lock.check());
  return { event: "checkpoint", step: progress.step, kind, path };
}

/** Keeps what a run reports of itself in its metrics file. */
async function* recordMetrics(
  { folder, lock }: Run,
  events: AsyncGenerator<TrainingEvent, void>,
): AsyncGenerator<TrainingEvent, void> {
  for await (const event of events) {
    if (isRecorded(event)) {
      await lock.check(MILLISECONDS_BETWEEN_CHECKS);
      await appendMetrics(folder.metrics, event);
    }
    yield event;
  }
}
