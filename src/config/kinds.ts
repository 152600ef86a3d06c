/**
 * The kinds of values that options take, as plain data: `schema.ts` checks values by them, the command line
 * reads what is typed.
 */
export interface Kind<Value> {
  readonly type:
    | "whole number"
    | "number"
    | "numbers"
    | "seconds"
    | "text"
    | "texts"
    | "word"
    | "flag"
    | "changes"
    | "fold";
  /** Of numbers: the least value, and the most, both included. Of texts: how many there are at least. */
  readonly least?: number;
  readonly most?: number;
  /** Of numbers: what they must be above, or below. */
  readonly above?: number;
  readonly below?: number;
  /** Of texts: whether the option is typed again for each, where it else takes several. */
  readonly isRepeated?: true;
  /** What a word may be. */
  readonly words?: readonly Value[];
}

/** One of several equal parts of a text, from 1. */
export interface Fold {
  readonly index: number;
  readonly of: number;
}

/** From `step` on a run has `steps` in all. */
export interface StepChange {
  readonly step: number;
  readonly steps: number;
}

export function wholeNumber(least: number, most?: number): Kind<number> {
  return { type: "whole number", least, most };
}

/** From 0 to below 1. */
export const FRACTION: Kind<number> = { type: "number", least: 0, below: 1 };
/** Above 0, up to 1. */
export const PROBABILITY: Kind<number> = { type: "number", above: 0, most: 1 };
export const AT_LEAST_ZERO: Kind<number> = { type: "number", least: 0 };
/** One number of 0 or more, or several in turn. */
export const AT_LEAST_ZERO_EACH: Kind<number | readonly number[]> = { type: "numbers", least: 0 };
/** One number above 0, or several. */
export const ABOVE_ZERO_EACH: Kind<number | readonly number[]> = { type: "numbers", above: 0 };
export const ABOVE_ZERO: Kind<number> = { type: "number", above: 0 };
export const SECONDS: Kind<number> = { type: "seconds", above: 0 };
export const TEXT: Kind<string> = { type: "text" };
export const TEXTS: Kind<readonly string[]> = { type: "texts" };
/** Each given by an option anew: `--stop a --stop b`. */
export const REPEATED: Kind<readonly string[]> = { type: "texts", isRepeated: true };
export const FILES: Kind<readonly string[]> = { type: "texts", least: 1 };
export const FLAG: Kind<boolean> = { type: "flag" };
export const FOLD: Kind<Fold> = { type: "fold" };
export const STEP_CHANGES: Kind<readonly StepChange[]> = { type: "changes" };

export function oneOf<Word extends string>(words: readonly Word[]): Kind<Word> {
  return { type: "word", words };
}
