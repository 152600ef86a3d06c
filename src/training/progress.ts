import type { ScheduleName } from "../config/names.js";
import type { Progress } from "../config/run.js";
import type { Score } from "../model/char-rnn.js";
import { learningRateAt } from "../optimization/schedule.js";
import { bitsPerCharacter } from "../text.js";
import { epochOf } from "./describe-run.js";
import type { EvalEvent } from "./events.js";
import { isExploded } from "./explosion.js";
import type { Evaluation } from "./lead.js";
import type { Run } from "./run.js";

/** After this many evaluations without a lower loss the plateau schedule lowers the learning rate. */
const PLATEAU_EVALUATIONS = 3;
const PLATEAU_FACTOR = 0.5;
/** Fewer saves hardly cost less time, and lose more of it when the process is killed. */
const STEPS_BETWEEN_SAVES = 500;
/** The fraction of the steps between two evaluations that is too few for another one. */
const SHORTLY = 0.1;

/**
 * Every `evalEvery` steps and at the end of the run, but not shortly before the end. Where a step went wrong then,
 * after the next one that did not, unless the run goes back.
 */
export function isEvaluationDue({ progress, config: { training } }: Run): boolean {
  const { step, badSteps, evaluatedAt, totalSteps = Number.POSITIVE_INFINITY } = progress;
  if (step === 0 || step === evaluatedAt) return false;
  if (step >= totalSteps) return true;
  const { evalEvery } = training;
  const isPassed = step - (step % evalEvery) > evaluatedAt;
  const isNearEnd = totalSteps - step < SHORTLY * evalEvery;
  return badSteps === 0 && isPassed && !isNearEnd;
}

/** How long ago the last checkpoint was saved. */
export interface SaveAge {
  /** Another one can't wait. */
  readonly isLate: boolean;
  /** Another one may wait: the time is limited, and the user has not said at which steps to save. */
  readonly isEarly: boolean;
}

/**
 * Every `saveEvery` steps, unless an evaluation saves, and where the last time is too long ago. Not among steps
 * that are dropped: a run goes back to before them.
 *
 * @param saveEvery undefined: 500, unless a save may wait
 */
export function isSaveDue(
  { progress: { step, badSteps, evaluatedAt } }: Run,
  saveEvery: number | undefined,
  isEvaluationDue: boolean,
  { isLate, isEarly }: SaveAge,
): boolean {
  if (step === 0 || badSteps > 0 || step === evaluatedAt) return false;
  if (isLate) return true;
  if (isEvaluationDue || isEarly) return false;
  return step % (saveEvery ?? STEPS_BETWEEN_SAVES) === 0;
}

/**
 * Notes a step in the run's progress.
 *
 * @param dropped whether it changed nothing, since something was not finite
 * @returns its loss, nats/character
 */
export function noteStep(run: Run, score: Score, dropped: boolean): number {
  const { progress } = run;
  const loss = score.loss / score.characters;
  progress.step++;
  if (dropped) {
    progress.badSteps++;
    progress.droppedSteps++;
    return loss;
  }
  if (progress.step === 1) progress.firstLoss = loss;
  progress.badSteps = isExploded(loss, run) ? progress.badSteps + 1 : 0;
  progress.lossSum += score.loss;
  progress.lossCharacters += score.characters;
  return loss;
}

/** Notes an evaluation in the run's progress. */
export function noteEvaluation(run: Run, score: Evaluation): EvalEvent {
  const { progress, config, clock } = run;
  const { training } = config;
  const validationLoss = score.characters > 0 ? score.loss / score.characters : undefined;
  const learningRate = learningRateAt({ ...progress, step: progress.step - 1 }, training);
  const best = noteValidationLoss(progress, validationLoss, training.schedule);
  const loss = progress.lossCharacters > 0 ? progress.lossSum / progress.lossCharacters : undefined;
  progress.trainingLoss = loss;
  progress.lossSum = 0;
  progress.lossCharacters = 0;
  progress.evaluatedAt = progress.step;
  const { temperature } = score;
  if (temperature !== undefined) progress.temperature = temperature;
  return {
    event: "eval",
    step: progress.step,
    epoch: epochOf(run),
    loss,
    validationLoss,
    bitsPerCharacter: validationLoss && bitsPerCharacter(validationLoss),
    ...(temperature !== undefined && { temperature }),
    best,
    learningRate,
    seconds: clock(),
  };
}

/**
 * Takes a validation loss into a run's progress: whether it is the lowest so far, and whether the
 * learning rate is to fall.
 *
 * @param loss nats/character; undefined where nothing is held out
 * @returns whether it is the lowest so far
 */
export function noteValidationLoss(
  progress: Progress,
  loss: number | undefined,
  schedule: ScheduleName,
): boolean {
  progress.validationLoss = loss;
  if (loss === undefined) return false;
  if (loss < (progress.bestLoss ?? Number.POSITIVE_INFINITY)) {
    progress.bestLoss = loss;
    progress.bestStep = progress.step;
    progress.evaluationsSinceBest = 0;
    progress.evaluationsSinceLowered = 0;
    return true;
  }
  progress.evaluationsSinceBest++;
  progress.evaluationsSinceLowered++;
  if (schedule === "plateau" && progress.evaluationsSinceLowered >= PLATEAU_EVALUATIONS) {
    progress.rateFactor *= PLATEAU_FACTOR;
    progress.evaluationsSinceLowered = 0;
  }
  return false;
}
