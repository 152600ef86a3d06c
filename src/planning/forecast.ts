/** How long a run's parts take on this machine. */
export interface Speed {
  readonly secondsPerStep: number;
  /** With its sample and its checkpoints. */
  readonly secondsPerEvaluation: number;
  /** What follows the last evaluation: scoring the test part, and the whole of the held-out part. */
  readonly secondsAtEnd: number;
  /** For each character that is read to score a text. */
  readonly secondsPerCharacter: number;
}

/** Of a run that has nothing left to do. */
export const NO_TIME: Speed = {
  secondsPerStep: 0,
  secondsPerEvaluation: 0,
  secondsAtEnd: 0,
  secondsPerCharacter: 0,
};

/** How often a run is evaluated. */
export interface EvaluationPace {
  readonly evalEvery: number;
  readonly stepsPerEpoch: number;
}

/** The number of steps, with their evaluations, that fit into `seconds`; at least `fewest`. */
export function stepsInTime(
  seconds: number,
  { secondsPerStep, secondsPerEvaluation, secondsAtEnd }: Omit<Speed, "secondsPerCharacter">,
  pace: EvaluationPace,
  fewest = 1,
): number {
  const perStep = secondsPerStep + evaluationsPerStep(pace) * secondsPerEvaluation;
  return Math.max(fewest, Math.floor((seconds - secondsPerEvaluation - secondsAtEnd) / perStep));
}

/** How long these steps take, with their evaluations, to the end of the run. */
export function secondsFor(
  steps: number,
  { secondsPerStep, secondsPerEvaluation, secondsAtEnd }: Omit<Speed, "secondsPerCharacter">,
  pace: EvaluationPace,
): number {
  const evaluations = Math.floor(steps * evaluationsPerStep(pace)) + 1;
  return steps * secondsPerStep + evaluations * secondsPerEvaluation + secondsAtEnd;
}

/** Those of each step, without the last one of the run. */
export function evaluationsPerStep({ evalEvery, stepsPerEpoch }: EvaluationPace): number {
  return 1 / evalEvery + 1 / stepsPerEpoch;
}
