import {
  type EvaluationPace,
  evaluationsPerStep,
  type Speed,
  secondsFor,
  stepsInTime,
} from "./forecast.js";

/** Of a time, the share that is planned: what is forecast wrong by a twentieth still ends in time. */
const PLANNED = 0.95;
/** How wrong a forecast has to be for the number of steps to be set once more. */
const TOLERANCE = 0.1;
/** Of a time, the share in which the speed is measured before the plan is looked at again. */
const MEASURED = 0.05;
/** A short time needs a larger share, a long one a smaller, in seconds. */
const SHORTEST_MEASUREMENT = 0.5;
const LARGEST_SHARE_MEASURED = 0.2;
const LONGEST_MEASUREMENT = 120;
/** It goes on for so many times as long where an evaluation is still to be measured. */
const FOR_FIRST_EVALUATION = 3;
/** Of a time, the share that all evaluations may take; more, and they score a part of the text. */
const FOR_EVALUATIONS = 0.1;
/** Of a time, the share that scoring may take once training is over. */
const FOR_END = 0.05;
/** An evaluation of fewer characters says too little. */
const FEWEST_SCORED = 20_000;

/** Of a time, the share for each thing that is tried; and the fewest and most seconds. */
const FOR_TRIAL = 0.01;
const SHORTEST_TRIAL = 0.02;
const LONGEST_TRIAL = 1.5;

/** How long each thing may be tried where so many seconds are left. */
export function secondsToTry(secondsLeft: number): number {
  return Math.min(Math.max(FOR_TRIAL * secondsLeft, SHORTEST_TRIAL), LONGEST_TRIAL);
}

/** The number of steps for a time that is left. */
export function stepsFor(
  secondsLeft: number,
  speed: Speed,
  pace: EvaluationPace,
  fewest?: number,
): number {
  return stepsInTime(PLANNED * secondsLeft, speed, pace, fewest);
}

/** What evaluations cost, in seconds. */
export interface EvaluationCosts {
  readonly step: number;
  /** Scoring the whole of the held-out part. */
  readonly whole: number;
  /** A sample, and checkpoints. */
  readonly besides: number;
}

/**
 * How many of the held-out characters evaluations can score within their share of the time.
 *
 * @returns undefined where it is all of them
 */
export function charactersToScore(
  secondsLeft: number,
  characters: number,
  { step, whole, besides }: EvaluationCosts,
  pace: EvaluationPace,
): number | undefined {
  // Most of the time goes to steps, whatever evaluations cost.
  const evaluations = 1 + ((1 - FOR_EVALUATIONS) * secondsLeft * evaluationsPerStep(pace)) / step;
  const seconds = FOR_EVALUATIONS * secondsLeft;
  if (evaluations * (whole + besides) <= seconds) return undefined;
  const share = seconds / (evaluations * whole);
  const scored = Math.max(FEWEST_SCORED, Math.floor(share * characters));
  return scored < characters ? scored : undefined;
}

/** Of what it would be good to score at the end, the seconds that are kept for it. */
export function secondsKeptForEnd(secondsLeft: number, wanted: number): number {
  return Math.max(Math.min(wanted, FOR_END * secondsLeft), 0);
}

/** How many of the test part's characters can be scored at the end in the time that is left. */
export function charactersAtEnd(secondsLeft: number, characters: number, seconds: number): number {
  if (seconds <= secondsLeft) return characters;
  const share = Math.max(secondsLeft, 0) / seconds;
  return Math.min(Math.max(Math.floor(share * characters), FEWEST_SCORED), characters);
}

/** After how many seconds of training the plan is looked at again. */
export function secondsToMeasure(secondsLeft: number, isEvaluated: boolean): number {
  const least = Math.min(SHORTEST_MEASUREMENT, LARGEST_SHARE_MEASURED * secondsLeft);
  const seconds = Math.min(Math.max(MEASURED * secondsLeft, least), LONGEST_MEASUREMENT);
  return isEvaluated ? seconds : FOR_FIRST_EVALUATION * seconds;
}

/**
 * The number of steps that are left when the speed has been measured again: as planned, unless that
 * would be wrong by a tenth or more of the time; then as many as fit.
 */
export function stepsLeftAfterMeasuring(
  { planned, fitting }: { readonly planned: number; readonly fitting: number },
  secondsLeft: number,
  speed: Speed,
  pace: EvaluationPace,
): number {
  const share = secondsFor(planned, speed, pace) / (PLANNED * Math.max(secondsLeft, 0));
  const isTooLong = !(share < 1 + TOLERANCE);
  const isTooShort = share <= 1 - TOLERANCE && fitting > planned;
  return isTooLong || isTooShort ? fitting : planned;
}
