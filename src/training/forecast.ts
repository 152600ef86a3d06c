import { disposeAll } from "../backends/scope.js";
import type { Batch } from "../data/batch.js";
import type { ParameterArray } from "../model/parameters.js";
import type { Run } from "./run.js";

/** How long a run's parts take on this machine. */
export interface Speed {
  readonly secondsPerStep: number;
  readonly secondsPerEvaluation: number;
}

const LONGEST_TRIAL_SECONDS = 1;
const MOST_TRIALS = 4;

/**
 * Measures the run's speed by a short trial, which leaves no trace: the weights stay as they are,
 * and the gradients are overwritten by the first real step.
 */
export function measureSpeed(
  run: Run,
  gradients: ParameterArray,
  validation: readonly Batch[] | Iterable<Batch>,
): Speed {
  const { model, scored, batches, progress, random, config } = run;
  const { accumulate, ...rates } = config.training;
  const batch = batches.at(progress.epoch, 0);
  const secondsPerBatch = fastest(() => {
    const state = model.zeroState(batch.batch);
    disposeAll(model.learn(batch, state, gradients, { rates, random }).state);
    disposeAll(state);
  });
  const secondsPerStep = accumulate * secondsPerBatch;
  let count = 0;
  let first: Batch | undefined;
  for (const part of validation) {
    first ??= { ...part, inputs: part.inputs.slice(), targets: part.targets.slice() };
    count++;
  }
  if (!first) return { secondsPerStep, secondsPerEvaluation: 0 };
  const text = first;
  const secondsPerScore = fastest(() => {
    const state = scored.zeroState(text.batch);
    disposeAll(scored.score(text, state).state);
    disposeAll(state);
  });
  return { secondsPerStep, secondsPerEvaluation: count * secondsPerScore };
}

/** The number of steps, with their evaluations, that fit into `seconds`. */
export function stepsInTime(
  seconds: number,
  speed: Speed,
  evalEvery: number,
  stepsPerEpoch: number,
): number {
  const evaluationsPerStep = 1 / evalEvery + 1 / stepsPerEpoch;
  const perStep = speed.secondsPerStep + evaluationsPerStep * speed.secondsPerEvaluation;
  return Math.max(1, Math.floor((seconds - speed.secondsPerEvaluation) / perStep));
}

/** How long so many steps take, with their evaluations. */
export function secondsFor(
  steps: number,
  speed: Speed,
  evalEvery: number,
  stepsPerEpoch: number,
): number {
  const evaluations = Math.ceil(steps / stepsPerEpoch + steps / evalEvery);
  return steps * speed.secondsPerStep + evaluations * speed.secondsPerEvaluation;
}

/** Seconds of the fastest of a few runs: the first ones are slowed by the compiler at work. */
function fastest(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  let spent = 0;
  for (let trial = 0; trial < MOST_TRIALS && spent < LONGEST_TRIAL_SECONDS; trial++) {
    const start = performance.now();
    work();
    const seconds = (performance.now() - start) / 1e3;
    best = Math.min(best, seconds);
    spent += seconds;
  }
  return best;
}
