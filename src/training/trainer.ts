import { existsSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { disposeAll } from "../backends/scope.js";
import { writeCheckpoint } from "../checkpoint/checkpoint.js";
import { appendMetrics } from "../checkpoint/metrics-file.js";
import { keepNewestSteps } from "../checkpoint/run-folder.js";
import { evaluationBatches } from "../data/batches.js";
import { TRAIN_DEFAULTS } from "../defaults.js";
import { CharnnError } from "../errors.js";
import type { Score } from "../model/char-rnn.js";
import { type ParameterArray, parameterArray } from "../model/parameters.js";
import { generate } from "../sampling/sampler.js";
import { bitsPerCharacter, evaluate } from "./evaluate.js";
import type { EvalEvent, StepEvent, TrainingEvent } from "./events.js";
import { measureSpeed, type Speed, stepsInTime } from "./forecast.js";
import { openRun } from "./open-run.js";
import type { Learner, Run } from "./run.js";
import { learningRateAt } from "./schedule.js";
import { checkedTrainSettings, type TrainSettings } from "./settings.js";
import { checkpointOf } from "./snapshot.js";
import { SpeedMeter } from "./speed-meter.js";
import { endOf, epochOf, limitReached, startOf } from "./start-and-end.js";

export interface TrainOptions {
  /** Aborted: the step is finished, the run saved, and the last event is `end`. */
  readonly signal?: AbortSignal;
  /** What the file `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** What the model writes at each evaluation. */
const SAMPLE = { length: 200, temperature: 0.8, topK: 0, topP: 1, count: 1 };

/**
 * Trains a model, and tells what happens while it does.
 *
 * @throws CharnnError for what is wrong with the settings, the text, the run's folder or its
 *   checkpoint, and `DIVERGED` when the loss is no longer a finite number.
 */
export async function* train(
  settings: TrainSettings,
  { signal, stdin }: TrainOptions = {},
): AsyncGenerator<TrainingEvent, void> {
  const run = await openRun(checkedTrainSettings(settings), stdin);
  const gradients = parameterArray(run.config.model);
  try {
    yield* recordMetrics(run, trainRun(run, gradients, settings, signal));
  } finally {
    await run.release();
    gradients.dispose();
    disposeAll(run.state);
    run.model.dispose();
    run.optimizer.dispose();
  }
}

/** The training loop. Everything about the path of a run is a function of its step. */
async function* trainRun(
  run: Run,
  gradients: ParameterArray,
  { saveEvery = TRAIN_DEFAULTS.saveEvery, keep = TRAIN_DEFAULTS.keep }: TrainSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const { progress } = run;
  const clock = startClock();
  for (const message of run.warnings) yield { event: "warning", message };
  if (progress.step >= progress.totalSteps && !isEvaluationDue(run)) {
    yield await endOf(run, "done", clock);
    return;
  }
  const speed = measureSpeed(run, gradients, validationBatches(run));
  fitToTime(run, speed);
  yield startOf(run, speed);

  const meter = new SpeedMeter();
  while (true) {
    if (isEvaluationDue(run)) {
      yield* evaluateAndSave(run, keep, clock, signal);
    } else if (progress.step > 0 && progress.step % saveEvery === 0) {
      yield await save(run, "last");
    }
    if (signal?.aborted || progress.step >= progress.totalSteps) break;

    yield takeStep(run, gradients, meter, clock);
    // A turn of the event loop lets signals through.
    await nextTurn();
  }

  const isSaved = progress.step > 0 && progress.evaluatedAt === progress.step;
  if (!isSaved) yield await save(run, "last");
  yield await endOf(run, signal?.aborted ? "interrupted" : limitReached(run), clock);
}

/** Takes a step of the run, and tells how it went. */
function takeStep(
  run: Run,
  gradients: ParameterArray,
  meter: SpeedMeter,
  clock: () => number,
): StepEvent {
  const { progress } = run;
  const start = clock();
  const epoch = progress.epoch + 1;
  const { score, learningRate, gradientNorm } = learnBatch(run, gradients);
  const { step } = progress;
  const loss = score.loss / score.characters;
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
    throw diverged(run, step, `the loss is ${loss}`);
  }
  progress.lossSum += score.loss;
  progress.lossCharacters += score.characters;
  const seconds = clock();
  meter.add(score.characters, seconds - start);
  const { charsPerSecond } = meter;
  return { event: "step", step, epoch, loss, learningRate, gradientNorm, charsPerSecond, seconds };
}

/**
 * One step of truncated back-propagation through time: forward, loss, backward, clip, update.
 *
 * @param gradients overwritten
 * @returns the gradients' norm is that before clipping; not finite: no weight was changed
 */
export function learnBatch(
  learner: Learner,
  gradients: ParameterArray,
): { score: Score; learningRate: number; gradientNorm: number } {
  const { config, model, optimizer, batches, random, progress } = learner;
  const batch = batches.at(progress.epoch, progress.batch);
  if (batch.startsFresh) {
    disposeAll(learner.state);
    learner.state = model.zeroState(batch.batch);
  }
  const dropout = random.fork("dropout", progress.step);
  const { score, state } = model.learn(batch, learner.state, gradients, dropout);
  // The state goes on to the next window; the gradient does not.
  disposeAll(learner.state);
  learner.state = state;
  const learningRate = learningRateAt(progress.step, progress.totalSteps, config.training);
  progress.step++;
  const gradientNorm = optimizer.step(model.parameters, gradients, learningRate, progress.step);
  progress.batch++;
  if (progress.batch === batches.batchesInEpoch(progress.epoch)) {
    progress.epoch++;
    progress.batch = 0;
  }
  return { score, learningRate, gradientNorm };
}

/** Every so many steps, at the end of each epoch, and at the end of the run. */
function isEvaluationDue({ progress, config }: Run): boolean {
  const { step, batch, evaluatedAt, totalSteps } = progress;
  if (step === 0 || step === evaluatedAt) return false;
  return step % config.training.evalEvery === 0 || batch === 0 || step >= totalSteps;
}

/** Scores the validation part, shows a sample, saves; does nothing when interrupted. */
async function* evaluateAndSave(
  run: Run,
  keep: number,
  clock: () => number,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, void> {
  const { model, progress, folder } = run;
  const score = await evaluate(model, validationBatches(run), signal);
  if (!score) return;
  const evaluated = noteScore(run, score, clock());
  yield evaluated;
  yield { event: "sample", step: progress.step, text: sampleText(run) };
  if (evaluated.best) yield await save(run, "best");
  if (keep > 0) {
    yield await save(run, "step");
    await keepNewestSteps(folder, keep);
  }
  yield await save(run, "last");
}

/** Takes an evaluation into the run's progress. */
function noteScore(run: Run, score: Score, seconds: number): EvalEvent {
  const { progress, config } = run;
  if (!Number.isFinite(score.loss)) {
    throw diverged(run, progress.step, `the validation loss is ${score.loss}`);
  }
  const validationLoss = score.characters > 0 ? score.loss / score.characters : undefined;
  const best =
    validationLoss !== undefined &&
    validationLoss < (progress.bestLoss ?? Number.POSITIVE_INFINITY);
  if (best) {
    progress.bestLoss = validationLoss;
    progress.bestStep = progress.step;
  }
  const loss = progress.lossSum / progress.lossCharacters;
  progress.trainingLoss = loss;
  progress.validationLoss = validationLoss;
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
    learningRate: learningRateAt(progress.step - 1, progress.totalSteps, config.training),
    seconds,
  };
}

function validationBatches({ corpus }: Run) {
  return evaluationBatches(corpus.validation.tokens, corpus.documents, corpus.vocabulary);
}

function sampleText({ model, corpus, random, progress }: Run): string {
  const { vocabulary, documents } = corpus;
  const stream = random.fork("sample", progress.step);
  let text = "";
  for (const [character] of generate(model, vocabulary, { ...SAMPLE, documents }, stream)) {
    text += character;
  }
  return text;
}

async function save(run: Run, kind: "last" | "best" | "step"): Promise<TrainingEvent> {
  const { folder, progress } = run;
  const path = kind === "step" ? folder.stepFile(progress.step) : folder[kind];
  const checkpoint = checkpointOf(run);
  // Never in the place of a checkpoint that can be read.
  for (const { name, data } of checkpoint.tensors.values()) {
    if (!data.every(Number.isFinite)) {
      throw diverged(run, progress.step, `${name} has numbers that are not finite`);
    }
  }
  await writeCheckpoint(path, checkpoint);
  return { event: "checkpoint", step: progress.step, kind, path };
}

/** Turns a limit of time into a number of steps, which from then on is what counts. */
function fitToTime({ config, progress, batches, timeLimit }: Run, speed: Speed): void {
  if (timeLimit === undefined) return;
  const stepsPerEpoch = batches.batchesInEpoch(progress.epoch);
  const steps = stepsInTime(timeLimit, speed, config.training.evalEvery, stepsPerEpoch);
  progress.totalSteps = Math.min(progress.totalSteps, steps);
}

function diverged({ folder }: Run, step: number, sign: string): CharnnError {
  const kept = existsSync(folder.last) ? ` The checkpoint in ${folder.path} is from before.` : "";
  return new CharnnError(
    "DIVERGED",
    `At step ${step} ${sign}: training has diverged.${kept}`,
    "Try a lower --learning-rate (a third of it), or a lower --clip-norm.",
  );
}

/** Keeps every report of the run in its metrics file. */
async function* recordMetrics(
  { folder }: Run,
  events: AsyncGenerator<TrainingEvent, void>,
): AsyncGenerator<TrainingEvent, void> {
  for await (const event of events) {
    if (event.event === "step" || event.event === "eval")
      await appendMetrics(folder.metrics, event);
    yield event;
  }
}

function startClock(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1e3;
}
