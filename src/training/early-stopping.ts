import type { ScheduleName } from "../config/names.js";
import type { Progress } from "../config/run.js";

/** After so many evaluations without a lower loss the plateau schedule lowers the learning rate. */
const PLATEAU_EVALUATIONS = 3;
const PLATEAU_FACTOR = 0.5;

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
