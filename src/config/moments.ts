import type { OptimizerName } from "./names.js";

/** What an optimizer remembers of each parameter: means of gradients, and of their squares. */
export type MomentName = "m" | "v";

export const MOMENT_NAMES: Readonly<Record<OptimizerName, readonly MomentName[]>> = {
  adam: ["m", "v"],
  sgd: ["m"],
  rmsprop: ["v"],
};
