import { CharnnError } from "../errors.js";
import type { Tokens } from "./vocabulary.js";

/** A model learns and is scored by what follows a character, so one alone is no use. */
const LEAST_CHARACTERS = 2;

/** Shares of a text that are kept from training, each from 0 to below 1. */
export interface Shares {
  readonly validation: number;
  readonly test: number;
}

/** One of equal parts of a text, counted from 1. */
export interface Fold {
  readonly index: number;
  readonly of: number;
}

/**
 * Where the parts of a text end: training from 0, then validation, then, for a fold, the rest of what
 * is for training, then the test to the end.
 */
export interface Cuts {
  readonly train: number;
  readonly validation: number;
  readonly rest: number;
}

/** Refuses shares that can't be, as {@link CharnnError} `INVALID_SETTING`. */
export function checkShares(shares: Shares): void {
  for (const name of ["validation", "test"] as const) {
    if (!(shares[name] >= 0 && shares[name] < 1)) {
      throw new CharnnError(
        "INVALID_SETTING",
        `--${name} ${shares[name]} is no share of a text.`,
        `Give a number from 0 to below 1: --${name} 0.1 keeps a tenth.`,
      );
    }
  }
  if (shares.validation + shares.test >= 1) {
    throw new CharnnError(
      "INVALID_SETTING",
      `--validation ${shares.validation} and --test ${shares.test} leave nothing to train on.`,
      "Together they must stay below 1.",
    );
  }
}

/**
 * Cuts a text by position. With `newline`, the token that ends documents, cuts are moved to the
 * nearest line ends. With `fold` that part of what is not for the test is for validation. A part asked for that is left with too little is a {@link CharnnError}
 * `TEXT_TOO_SHORT` that says what would fit.
 */
export function cutText(
  tokens: Tokens,
  shares: Shares,
  newline: number | undefined,
  fold?: Fold,
): Cuts {
  const length = tokens.length;
  const cutAt = (place: number, end: number) =>
    newline === undefined ? place : nearestLineStart(tokens, newline, place, end);
  const rest = shares.test > 0 ? cutAt(length - Math.round(length * shares.test), length) : length;
  const startOfFold = (index: number, of: number) =>
    index === 1 ? 0 : index > of ? rest : cutAt(Math.round((rest * (index - 1)) / of), rest);
  let [train, validation] = [rest, rest];
  if (fold) {
    [train, validation] = [fold.index, fold.index + 1].map((it) => startOfFold(it, fold.of));
  } else if (shares.validation > 0) {
    train = cutAt(rest - Math.round(length * shares.validation), rest);
  }
  const parts = {
    training: [
      [0, train],
      [validation, rest],
    ],
    validation: [[train, validation]],
    test: [[rest, length]],
  };
  for (const [name, pieces] of Object.entries(parts)) {
    const asked =
      name === "training" || (fold && name === "validation") || shares[name as keyof Shares] > 0;
    const isEnough = pieces.some(([from, to]) => hasEnough(tokens.subarray(from, to), newline));
    if (asked && !isEnough) throw tooShort(name, length, newline !== undefined);
  }
  return { train, validation, rest };
}

/** Whether there is anything to predict in a part of a text. */
export function hasEnough(tokens: Tokens, newline: number | undefined): boolean {
  return newline === undefined
    ? tokens.length >= LEAST_CHARACTERS
    : tokens.some((token) => token !== newline);
}

/** The beginning of a line that is nearest to `cut`, between 0 and `end`; `end` where there is none. */
function nearestLineStart(tokens: Tokens, newline: number, cut: number, end: number): number {
  let before = Math.min(cut, end - 1);
  while (before > 0 && tokens[before - 1] !== newline) before--;
  let after = Math.max(cut, 1);
  while (after < end && tokens[after - 1] !== newline) after++;
  if (before <= 0) return after;
  return after < end && after - cut < cut - before ? after : before;
}

function tooShort(part: string, length: number, byLines: boolean): CharnnError {
  const text = `The text has ${length.toLocaleString("en")} characters`;
  const kept = part === "training" ? "training" : `the ${part} part`;
  return new CharnnError(
    "TEXT_TOO_SHORT",
    byLines
      ? `${text}: cut at line ends, no line is left for ${kept}.`
      : `${text}: fewer than ${LEAST_CHARACTERS} are left for ${kept}.`,
    whatWouldFit(length, byLines),
  );
}

function whatWouldFit(length: number, byLines: boolean): string {
  const hundredths = Math.ceil((100 * LEAST_CHARACTERS) / length);
  return byLines || hundredths > 50
    ? "Keep nothing apart (--validation 0 --test 0), or give a longer text."
    : `Shares from ${hundredths / 100} to ${(100 - hundredths) / 100} fit, and 0 keeps nothing apart.`;
}
