/** The fraction of a time limit that is planned: what comes unforeseen near the end takes a little more. */
const PLANNED = 0.99;
/**
 * The fractions of a time limit between which the forecast end may lie without a change of the number of steps: a speed
 * that changes a little is no reason for one.
 */
const EARLIEST_END = 0.975;
const LATEST_END = 1.01;
/** The fraction of the time left in which the speed is measured before the plan is looked at again. */
const MEASURED = 0.05;
/** The same for later looks, which are closer and closer together, so that the end is met. */
const MEASURED_LATER = 0.2;
/** The least fraction of the whole time in which it is measured then. */
const MIN_MEASURED_LATER = 0.01;
/** A short time needs a larger fraction, a long one a smaller one; in seconds. */
const MIN_MEASUREMENT_SECONDS = 0.5;
const MAX_FRACTION_MEASURED = 0.2;
const MAX_MEASUREMENT_SECONDS = 120;
/** A measurement may take this many times as long where no evaluation has been measured yet. */
const FOR_FIRST_EVALUATION = 3;
/** The fraction of a time limit that scoring may take once training is over. */
const FOR_END = 0.05;
/** A loss of fewer characters says too little to be a run's last word. */
const MIN_CHARACTERS_TESTED = 20_000;
/** The fraction of a time limit for each thing that is tried; and the fewest and most seconds. */
const FOR_TRIAL = 0.01;
const MIN_TRIAL_SECONDS = 0.02;
const MAX_TRIAL_SECONDS = 1.5;

/** How long a run's parts take on this machine. */
export interface Speed {
  readonly secondsPerStep: number;
  /** The part of a step in which processes exchange gradients. */
  readonly secondsToExchange: number;
  /** With its sample, but for what it saves. */
  readonly secondsPerEvaluation: number;
  /** What follows the last evaluation: saving, and scoring the test part and the whole of the held-out part. */
  readonly secondsAtEnd: number;
  /** For each character that is read to score a text. */
  readonly secondsPerCharacter: number;
}

/** Of a run that has nothing left to do. */
export const NO_TIME: Speed = {
  secondsPerStep: 0,
  secondsToExchange: 0,
  secondsPerEvaluation: 0,
  secondsAtEnd: 0,
  secondsPerCharacter: 0,
};

/** The number of steps, with their evaluations, for a time that is left; at least `fewest`. */
export function stepsFor(
  secondsLeft: number,
  { secondsPerStep, secondsPerEvaluation, secondsAtEnd }: Speed,
  evalEvery: number,
  fewest = 1,
): number {
  const perStep = secondsPerStep + secondsPerEvaluation / evalEvery;
  const forSteps = PLANNED * secondsLeft - secondsPerEvaluation - secondsAtEnd;
  return Math.max(fewest, Math.floor(forSteps / perStep));
}

/** How long these steps take, with their evaluations, to the end of the run. */
export function secondsFor(
  steps: number,
  { secondsPerStep, secondsPerEvaluation, secondsAtEnd }: Speed,
  evalEvery: number,
): number {
  const evaluations = Math.ceil(steps / evalEvery);
  return steps * secondsPerStep + evaluations * secondsPerEvaluation + secondsAtEnd;
}

/** How long each thing may be tried with this many seconds left. */
export function secondsToTry(secondsLeft: number): number {
  return Math.min(Math.max(FOR_TRIAL * secondsLeft, MIN_TRIAL_SECONDS), MAX_TRIAL_SECONDS);
}

/**
 * The seconds that are kept for scoring at the end: the test part, of which a part will do, and the whole of
 * the held-out part where evaluations score only a part of it, if there is time for all of it.
 */
export function secondsKeptForEnd(secondsLeft: number, wanted: { test: number; whole: number }) {
  const most = Math.max(FOR_END * secondsLeft, 0);
  const both = wanted.test + wanted.whole;
  return both <= most ? both : Math.min(wanted.test, most);
}

/** Whether there is time to score the whole of the held-out part: a run may end a little late. */
export function isTimeForWhole(secondsLeft: number, maxTime: number, seconds: number): boolean {
  return seconds <= secondsLeft + (LATEST_END - 1) * maxTime;
}

/** How many of the test part's characters can be scored at the end in the time that is left. */
export function charactersAtEnd(secondsLeft: number, characters: number, seconds: number): number {
  if (seconds <= secondsLeft) return characters;
  const fraction = Math.max(secondsLeft, 0) / seconds;
  return Math.min(Math.max(Math.floor(fraction * characters), MIN_CHARACTERS_TESTED), characters);
}

/** After how many seconds of training the plan is looked at for the first time. */
export function secondsToMeasure(secondsLeft: number, isEvaluated: boolean): number {
  const least = Math.min(MIN_MEASUREMENT_SECONDS, MAX_FRACTION_MEASURED * secondsLeft);
  const seconds = Math.min(Math.max(MEASURED * secondsLeft, least), MAX_MEASUREMENT_SECONDS);
  return isEvaluated ? seconds : FOR_FIRST_EVALUATION * seconds;
}

/**
 * After how many seconds it is looked at once more: other programs come and go.
 *
 * @param secondsLeft when the measurement began
 */
export function secondsToMeasureLater(secondsLeft: number, maxTime: number): number {
  return Math.max(MEASURED_LATER * secondsLeft, MIN_MEASURED_LATER * maxTime);
}

/**
 * The number of steps that are left when the speed has been measured again: as planned, unless the run
 * would end too early or too late; then as many as fit.
 *
 * @param now seconds of `maxTime` that have passed
 */
export function stepsLeftAfterMeasuring(
  { planned, fitting }: { readonly planned: number; readonly fitting: number },
  { now, maxTime }: { now: number; maxTime: number },
  speed: Speed,
  evalEvery: number,
): number {
  const end = (now + secondsFor(planned, speed, evalEvery)) / maxTime;
  const isTooLong = !(end < LATEST_END);
  const isTooShort = end <= EARLIEST_END && fitting > planned;
  return isTooLong || isTooShort ? fitting : planned;
}
