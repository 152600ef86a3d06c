import type { ScheduleName } from "../defaults.js";

/** The factor on the learning rate at `done`, the share of the run that is over (0 to below 1). */
const FACTORS: Readonly<Record<ScheduleName, (done: number) => number>> = {
  constant: () => 1,
  // Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, equation 5.
  cosine: (done) => (1 + Math.cos(Math.PI * done)) / 2,
  // By the same factor at every step, down to a hundredth.
  exponential: (done) => 0.01 ** done,
};

/**
 * The learning rate of step `step` (from 0) of `totalSteps`: the first `warmupSteps` rise in a
 * straight line to the full rate, from which the schedule goes on.
 */
export function learningRateAt(
  step: number,
  totalSteps: number,
  settings: { learningRate: number; schedule: ScheduleName; warmupSteps: number },
): number {
  const { learningRate, schedule, warmupSteps } = settings;
  if (step < warmupSteps) return (learningRate * (step + 1)) / (warmupSteps + 1);
  const done = (step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1);
  return learningRate * FACTORS[schedule](Math.min(done, 1));
}
