import type { Limits } from "../checkpoint/run-config.js";
import type { Batches } from "../data/batches.js";
import { definedOnly } from "../settings.js";
import type { TrainSettings } from "./settings.js";

/** The steps of a run before a limit of time is turned into a number of them. */
export const UNLIMITED_STEPS = Number.MAX_SAFE_INTEGER;

/** The limits that were asked for; undefined when none was. */
export function limitsOf({ epochs, steps, maxTime }: TrainSettings): Limits | undefined {
  const limits = definedOnly({ epochs, steps, maxTime });
  return Object.keys(limits).length > 0 ? limits : undefined;
}

/** Whether these are the limits that a run has already. */
export function areSameLimits(asked: Limits, saved: Limits): boolean {
  return (["epochs", "steps", "maxTime"] as const).every((name) => asked[name] === saved[name]);
}

/** The number of steps within the limits that are not of time. */
export function stepsWithin({ epochs, steps = UNLIMITED_STEPS }: Limits, batches: Batches): number {
  if (epochs === undefined) return steps;
  let batchesInAll = 0;
  for (let epoch = 0; epoch < epochs && batchesInAll < steps; epoch++) {
    batchesInAll += batches.batchesInEpoch(epoch);
  }
  return Math.min(steps, batchesInAll);
}
