import type { RunConfig } from "./run.js";

/** How many models a run trains, which predict together. */
export function memberCount({ training }: Pick<RunConfig, "training">): number {
  return training.members ?? 1;
}
