import type { ScheduleName } from "../config/names.js";
import type { TrainingConfig } from "../config/run.js";

/**
 * The factor on the learning rate.
 *
 * @param done the fraction of the run that is over (0 to below 1)
 * @param final what the factor is at the end of the run
 */
type Factor = (done: number, final: number) => number;

/** Where an exponential schedule ends in place of 0, which it never reaches. */
const LEAST_OF_EXPONENTIAL = 0.01;

const FACTORS: Readonly<Record<ScheduleName, Factor>> = {
  constant: () => 1,
  // Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, equation 5.
  cosine: (done, final) => final + ((1 - final) * (1 + Math.cos(Math.PI * done))) / 2,
  linear: (done, final) => final + (1 - final) * (1 - done),
  // By the same factor at every step.
  exponential: (done, final) => (final || LEAST_OF_EXPONENTIAL) ** done,
  // It falls when evaluations show no progress: see `early-stopping.ts`.
  plateau: () => 1,
};

/** The schedules that have to know when the run ends. */
export const ENDING_SCHEDULES: ReadonlySet<ScheduleName> = new Set([
  "cosine",
  "linear",
  "exponential",
]);

/** How far a run is, as a schedule sees it. */
export interface ScheduledProgress {
  /** From 0. */
  readonly step: number;
  /** Undefined where losses alone decide when the run ends. */
  readonly totalSteps?: number | undefined;
  /** The steps at which the number of steps was changed, in order, and what it was before. */
  readonly replan?: readonly { readonly step: number; readonly totalSteps: number }[];
  /** The factor by which evaluations and rollbacks have changed the full rate. */
  readonly rateFactor: number;
}

/**
 * The learning rate of a step: the first `warmupSteps` rise in a straight line to the full rate, from
 * which the schedule goes on. Where the number of steps was changed, the rate goes on from where it was,
 * and takes the rest of the schedule in the steps that are left.
 */
export function learningRateAt(
  progress: ScheduledProgress,
  settings: Pick<TrainingConfig, "learningRate" | "schedule" | "finalRate" | "warmupSteps">,
): number {
  const { schedule, finalRate = 0, warmupSteps } = settings;
  const full = settings.learningRate * progress.rateFactor;
  if (progress.step < warmupSteps) return (full * (progress.step + 1)) / (warmupSteps + 1);
  return full * FACTORS[schedule](Math.min(fractionDone(progress, warmupSteps), 1), finalRate);
}

/** The fraction of the schedule that is over. */
function fractionDone(
  { step, totalSteps = Number.POSITIVE_INFINITY, replan = [] }: ScheduledProgress,
  warmupSteps: number,
): number {
  // The fraction that was over at the last change, and the step from which the rest is taken.
  let [done, first] = [0, warmupSteps];
  const fractionAt = (at: number, total: number) =>
    done + ((1 - done) * (at - first)) / Math.max(total - first, 1);
  for (const [k, { step: changedAt, totalSteps: before }] of replan.entries()) {
    if (step < changedAt) return fractionAt(step, before);
    // The speed was measured, and the number left as it was.
    if (before === (replan[k + 1]?.totalSteps ?? totalSteps)) continue;
    done = Math.min(Math.max(fractionAt(changedAt, before), 0), 1);
    first = Math.max(changedAt, warmupSteps);
  }
  return fractionAt(step, totalSteps);
}
