import type { Limits, Progress } from "../config/run.js";
import type { EndEvent } from "./events.js";
import type { Run } from "./run.js";

/** Why a run ends before its next step; undefined while it goes on. */
export function endReason(
  run: Pick<Run, "config" | "progress">,
  signal: AbortSignal | undefined,
): EndEvent["reason"] | undefined {
  return signal?.aborted ? "interrupted" : endReached(run);
}

/** The limit that a run has reached, which ends it; undefined while it goes on. */
export function endReached({
  config,
  progress,
}: Pick<Run, "config" | "progress">): EndEvent["reached"] {
  const byLoss = lossLimitReached(config.limits, progress);
  if (byLoss) return byLoss;
  if (progress.totalSteps === undefined || progress.step < progress.totalSteps) return undefined;
  const { epochs, steps, replan } = config.limits;
  if (steps !== undefined && (replan || progress.step >= steps)) return "steps";
  if (epochs !== undefined && progress.epoch >= epochs) return "epochs";
  return "max-time";
}

/** Which of the limits that the validation loss decides is reached; undefined: neither. */
export function lossLimitReached(
  { patience = Number.POSITIVE_INFINITY, targetLoss = 0 }: Limits,
  { bestLoss = Number.POSITIVE_INFINITY, evaluationsSinceBest }: Progress,
): "patience" | "target-loss" | undefined {
  if (bestLoss <= targetLoss) return "target-loss";
  return evaluationsSinceBest >= patience ? "patience" : undefined;
}
