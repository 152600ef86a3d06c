import type { ScheduleName } from "../defaults.js";

/** The factor on the learning rate at `done`, the share of the run that is over (0 to below 1). */
const FACTORS: Readonly<Record<ScheduleName, (done: number) => number>> = {
  constant: () => 1,
  // Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, equation 5.
  cosine: (done) => (1 + Math.cos(Math.PI * done)) / 2,
  linear: (done) => 1 - done,
  // By the same factor at every step, down to a hundredth.
  exponential: (done) => 0.01 ** done,
  // It falls when evaluations show no progress: see `early-stopping.ts`.
  plateau: () => 1,
};

/** The schedules that have to know when the run ends. */
export const ENDING_SCHEDULES: ReadonlySet<ScheduleName> = new Set([
  "cosine",
  "linear",
  "exponential",
]);

/**
 * The learning rate of step `step` (from 0) of `totalSteps`: the first `warmupSteps` rise in a
 * straight line to the full rate, from which the schedule goes on.
 *
 * @param rateFactor what evaluations and rollbacks have made of the full rate
 */
export function learningRateAt(
  {
    step,
    totalSteps = Number.POSITIVE_INFINITY,
    rateFactor,
  }: { step: number; totalSteps?: number | undefined; rateFactor: number },
  settings: { learningRate: number; schedule: ScheduleName; warmupSteps: number },
): number {
  const { schedule, warmupSteps } = settings;
  const full = settings.learningRate * rateFactor;
  if (step < warmupSteps) return (full * (step + 1)) / (warmupSteps + 1);
  const done = (step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1);
  return full * FACTORS[schedule](Math.min(done, 1));
}
