import type { Limits } from "../checkpoint/run-config.js";
import type { Batches } from "../data/batches.js";
import { definedOnly, type TrainSettings } from "./settings.js";

/** The steps of a run before a limit of time is turned into a number of them. */
export const UNLIMITED_STEPS = Number.MAX_SAFE_INTEGER;

/** The limits that were asked for; undefined when none was. */
export function limitsOf({ epochs, steps, maxTime }: TrainSettings): Limits | undefined {
  const limits = definedOnly({ epochs, steps, maxTime });
  return Object.keys(limits).length > 0 ? limits : undefined;
}

/** The number of steps within the limits that are not of time. */
export function stepsWithin({ epochs, steps }: Limits, batches: Batches): number {
  let within = steps ?? UNLIMITED_STEPS;
  if (epochs !== undefined) {
    let batchesInAll = 0;
    for (let epoch = 0; epoch < epochs; epoch++) batchesInAll += batches.batchesInEpoch(epoch);
    within = Math.min(within, batchesInAll);
  }
  return within;
}
