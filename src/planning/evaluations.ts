import type { RunConfig } from "../config/run.js";
import { charactersRead, isPartOf } from "../data/evaluation-batches.js";

/** The fraction of a run that its evaluations may take ... */
const FOR_EVALUATIONS = 0.04;
/** ... and of that the part which scoring all that is held out may take at the end, where they score less. */
const FOR_WHOLE_AT_END = 0.5;
/** More of them would not make the curve clearer. */
const MOST_EVALUATIONS = 40;
/** Where there is time for fewer that score all, they score a part: the best step is to be found all the same. */
const FEWEST_OF_WHOLE = 10;
/** However short the run: one on the way, and one at the end. */
const FEWEST_EVALUATIONS = 2;
/** An evaluation of fewer characters says too little. */
export const MIN_CHARACTERS_SCORED = 10_000;
/** Scoring a part of a text reads some characters before each piece too. */
const READ_FOR_EACH_SCORED = 1.5;

/** What evaluations cost, in the unit of the run: seconds, or characters that training reads. */
export interface EvaluationCosts {
  readonly perCharacterRead: number;
  /** A sample, and a copy of the best checkpoint. */
  readonly besides: number;
}

/** What the user has decided. */
export interface AskedEvaluations {
  /** How many there are in the run. */
  readonly count?: number | undefined;
  /** How many characters each of them scores. */
  readonly characters?: number | undefined;
}

/** How often a run is evaluated, and on how much of its held-out part. */
export interface Evaluations {
  readonly count: number;
  /** How many characters each of them scores; undefined: the whole held-out part. */
  readonly characters: number | undefined;
}

/**
 * As many evaluations as take a small part of a run, of all held-out characters, or else of a part of them.
 *
 * @param total the cost of the run, in the unit of `costs`
 */
export function evaluationsWithin(
  total: number,
  { validationCharacters: length, documents, scoredPiece }: RunConfig["text"],
  { perCharacterRead, besides }: EvaluationCosts,
  asked: AskedEvaluations,
): Evaluations {
  const budget = FOR_EVALUATIONS * total;
  const costOf = (characters: number | undefined) =>
    perCharacterRead * charactersRead(length, documents, characters, scoredPiece) + besides;
  const evaluations = (characters: number | undefined, most: number): Evaluations => {
    const fitting = Math.floor(budget / costOf(characters));
    const count = asked.count ?? Math.min(Math.max(fitting, FEWEST_EVALUATIONS), most);
    return { count, characters };
  };
  const all = evaluations(asked.characters, MOST_EVALUATIONS);
  const isEnough = asked.count === undefined ? all.count >= FEWEST_OF_WHOLE : true;
  const isAffordable = isEnough && all.count * costOf(asked.characters) <= budget;
  if (isAffordable || asked.characters !== undefined) return all;
  const whole = costOf(undefined) - besides;
  const left = whole > FOR_WHOLE_AT_END * budget ? budget : budget - whole;
  const perEvaluation = left / (asked.count ?? FEWEST_OF_WHOLE) - besides;
  const fitting = Math.floor(perEvaluation / perCharacterRead / READ_FOR_EACH_SCORED);
  const scored = Math.max(fitting, MIN_CHARACTERS_SCORED);
  return isPartOf(length, scored) ? evaluations(scored, FEWEST_OF_WHOLE) : all;
}
