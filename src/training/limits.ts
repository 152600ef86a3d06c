import type { Limits, RunConfig } from "../checkpoint/run-config.js";
import type { Batches } from "../data/batches.js";
import { definedOnly } from "../settings.js";
import type { TrainSettings } from "./settings.js";

/** Passes over the text in a time that is given alone: next to nothing is gained by more than 60. */
const MOST_EPOCHS_IN_TIME = 100;

/** The limits that were asked for; undefined when none was. */
export function limitsOf(settings: TrainSettings): Limits | undefined {
  const { epochs, steps, maxTime, patience, targetLoss } = settings;
  const isTimeAlone = maxTime !== undefined && epochs === undefined && steps === undefined;
  const limits = definedOnly({
    epochs: isTimeAlone ? MOST_EPOCHS_IN_TIME : epochs,
    steps,
    maxTime,
    patience,
    targetLoss,
  });
  return Object.keys(limits).length > 0 ? limits : undefined;
}

const LIMIT_NAMES = ["epochs", "steps", "maxTime", "patience", "targetLoss"] as const;

/** Whether these say when a run ends whatever its losses are. */
export function haveEnd({ epochs, steps, maxTime }: Limits): boolean {
  return (epochs ?? steps ?? maxTime) !== undefined;
}

/** Whether these are the limits that a run has already. */
export function areSameLimits(asked: Limits, saved: Limits): boolean {
  return LIMIT_NAMES.every((name) => asked[name] === saved[name]);
}

/** The number of steps within the limits of epochs and steps; undefined where there are none. */
export function stepsWithin(
  { limits: { epochs, steps }, training: { accumulate } }: RunConfig,
  batches: Batches,
): number | undefined {
  if (epochs === undefined) return steps;
  const most = steps ?? Number.POSITIVE_INFINITY;
  let batchesInAll = 0;
  for (let epoch = 0; epoch < epochs && batchesInAll < most * accumulate; epoch++) {
    batchesInAll += batches.batchesInEpoch(epoch);
  }
  return Math.min(most, Math.ceil(batchesInAll / accumulate));
}
