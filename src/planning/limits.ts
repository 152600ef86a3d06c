import { isDeepStrictEqual } from "node:util";
import type { Limits, RunConfig } from "../config/run.js";
import { definedOnly, pick } from "../config/schema.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Batches } from "../data/batches.js";
import { CharnnError } from "../errors.js";

/** The most passes where only a time is given: after some 60 hardly anything is gained (`bench/quality/LOG.md`). */
export const MAX_EPOCHS_IN_TIME = 100;

/** The limits that were asked for; undefined when none was. */
export function limitsOf(settings: TrainSettings): Limits | undefined {
  const { epochs, steps, maxTime, replan, patience, targetLoss } = settings;
  const isTimeAlone = maxTime !== undefined && epochs === undefined && steps === undefined;
  const limits = definedOnly({
    epochs: isTimeAlone ? MAX_EPOCHS_IN_TIME : epochs,
    steps,
    maxTime,
    replan,
    // 0 is none.
    patience: patience || undefined,
    targetLoss: targetLoss || undefined,
  });
  return Object.keys(limits).length > 0 ? limits : undefined;
}

/** Those that decide when a run ends, no matter what its losses are. */
const END_NAMES = ["epochs", "steps", "maxTime", "replan"] as const;

/**
 * The limits of a run that goes on: those asked for take the place of those of their kind. The passes,
 * steps and time are one kind, the patience and the loss to reach one each.
 *
 * @param settings a patience or a loss of 0 is none
 * @throws CharnnError `INVALID_SETTING` when none is left
 */
export function resumedLimits(saved: Limits, settings: TrainSettings): Limits {
  const asked = limitsOf(settings) ?? {};
  const { patience = saved.patience, targetLoss = saved.targetLoss } = settings;
  const limits: Limits = definedOnly({
    ...pick(haveEnd(asked) ? asked : saved, END_NAMES),
    patience: patience || undefined,
    targetLoss: targetLoss || undefined,
  });
  if (Object.keys(limits).length > 0) return limits;
  throw new CharnnError(
    "INVALID_SETTING",
    "Nothing would end the run: its only limit is being removed.",
    "Give `epochs`, `steps` or `maxTime` too.",
  );
}

/** Whether these decide when a run ends, no matter what its losses are. */
export function haveEnd({ epochs, steps, maxTime }: Limits): boolean {
  return (epochs ?? steps ?? maxTime) !== undefined;
}

/** Whether both end at the same time, no matter what the losses are. */
export function haveSameEnd(asked: Limits, saved: Limits): boolean {
  return END_NAMES.every((name) => isDeepStrictEqual(asked[name], saved[name]));
}

/**
 * The number of steps within the limits of epochs and steps, and at most `most`; undefined where there
 * are none. Where the number of steps was changed, it is that after the change.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function stepsWithin(
  config: RunConfig,
  batches: Batches,
  most: number = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { epochs, steps, replan } = config.limits;
  const { accumulate } = config.training;
  const limit = Math.min(most, replan?.at(-1)?.steps ?? steps ?? Number.POSITIVE_INFINITY);
  if (epochs === undefined) return Number.isFinite(limit) ? limit : undefined;
  let batchesInAll = 0;
  for (let epoch = 0; epoch < epochs && batchesInAll < limit * accumulate; epoch++) {
    // Lists are put into batches for that.
    await batches.prepare(epoch, signal);
    batchesInAll += batches.batchesInEpoch(epoch);
  }
  return Math.min(limit, Math.ceil(batchesInAll / accumulate));
}
