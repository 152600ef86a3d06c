import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";
import { createTokens, type Tokens, type Vocabulary } from "./vocabulary.js";

/** A model learns from what follows a character, and is scored by it, so a single character is no use. */
const MIN_CHARACTERS = 2;

/** Fractions of a text that are kept from training, each from 0 to below 1. */
export interface Fractions {
  readonly validation: number;
  readonly test: number;
}

/** How a text is divided: its documents at random, or the whole in its order. */
export type Split = "random" | "sequential";

/** One of equal parts of a text, counted from 1. */
export interface Fold {
  readonly index: number;
  readonly of: number;
}

/** What ends each document of a text, and what one is called. */
export interface DocumentEnds {
  readonly token: number;
  readonly noun: string;
}

/** Where a text is cut. */
interface Cuts {
  readonly fractions: Fractions;
  readonly ends: DocumentEnds | undefined;
  readonly fold: Fold | undefined;
}

/** The parts of a text; one that was not asked for is empty. */
export interface Parts {
  readonly train: Tokens;
  readonly validation: Tokens;
  readonly test: Tokens;
}

/** Refuses fractions that can't be, as {@link CharnnError} `INVALID_SETTING`. */
export function checkFractions(fractions: Fractions): void {
  for (const name of ["validation", "test"] as const) {
    if (!(fractions[name] >= 0 && fractions[name] < 1)) {
      throw new CharnnError(
        "INVALID_SETTING",
        `\`${name}: ${fractions[name]}\` is not a fraction of a text.`,
        `Give a number from 0 to below 1: \`${name}: 0.1\` keeps a tenth.`,
      );
    }
  }
  if (fractions.validation + fractions.test >= 1) {
    throw new CharnnError(
      "INVALID_SETTING",
      `\`validation: ${fractions.validation}\` and \`test: ${fractions.test}\` leave nothing to train on.`,
      "Together they must stay below 1.",
    );
  }
}

/**
 * Cuts a text by position: the beginning is for training, then comes the validation part, then the test
 * part. With `ends` cuts are moved to the nearest end of a document. With `fold`
 * that part of what is not for the test is for validation, and what is before and after it for training.
 *
 * @throws CharnnError `TEXT_TOO_SHORT` where a part that was asked for is left with too little; it says
 *   what would fit
 */
export function cutText(
  tokens: Tokens,
  vocabulary: Vocabulary,
  { fractions, ends, fold }: Cuts,
): Parts {
  const length = tokens.length;
  const cutAt = (position: number, end: number) =>
    ends === undefined ? position : nearestStart(tokens, ends.token, position, end);
  const rest =
    fractions.test > 0 ? cutAt(length - Math.round(length * fractions.test), length) : length;
  const startOfFold = (index: number, of: number) =>
    index === 1 ? 0 : index > of ? rest : cutAt(Math.round((rest * (index - 1)) / of), rest);
  let [train, validation] = [rest, rest];
  if (fold) {
    [train, validation] = [fold.index, fold.index + 1].map((it) => startOfFold(it, fold.of));
  } else if (fractions.validation > 0) {
    train = cutAt(rest - Math.round(length * fractions.validation), rest);
  }
  const isEnough = (from: number, to: number) => hasEnough(tokens.subarray(from, to), ends);
  // The first fold checks all of them, since it might be trained in vain otherwise.
  const heldOut = fold
    ? Array.from({ length: fold.of }, (_, index) => [index + 1, index + 2] as const)
        .map((ends) => ends.map((it) => startOfFold(it, fold.of)))
        .every(([from, to]) => isEnough(from, to))
    : fractions.validation === 0 || isEnough(train, validation);
  const short =
    (!isEnough(0, train) && !isEnough(validation, rest) && "training") ||
    (!heldOut && "validation") ||
    (fractions.test > 0 && !isEnough(rest, length) && "test");
  if (short) throw tooShort(short, length, { fractions, ends, fold });
  return {
    train: joined(tokens.subarray(0, train), tokens.subarray(validation, rest), vocabulary),
    validation: tokens.subarray(train, validation),
    test: tokens.subarray(rest),
  };
}

/** Two parts of a text as one; no copy where the second is empty. */
function joined(first: Tokens, second: Tokens, vocabulary: Vocabulary): Tokens {
  if (second.length === 0) return first;
  const both = createTokens(vocabulary.size, first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Whether there is anything to predict in a part of a text. */
export function hasEnough(tokens: Tokens, ends: DocumentEnds | undefined): boolean {
  return ends === undefined
    ? tokens.length >= MIN_CHARACTERS
    : tokens.some((token) => token !== ends.token);
}

/** The beginning of a document that is nearest to `cut`, between 0 and `end`; `end` where there is none. */
function nearestStart(tokens: Tokens, endToken: number, cut: number, end: number): number {
  let before = Math.min(cut, end - 1);
  while (before > 0 && tokens[before - 1] !== endToken) before--;
  let after = Math.max(cut, 1);
  while (after < end && tokens[after - 1] !== endToken) after++;
  if (before <= 0) return after;
  return after < end && after - cut < cut - before ? after : before;
}

function tooShort(part: string, length: number, { fractions, ends, fold }: Cuts): CharnnError {
  const byDocuments = ends !== undefined;
  const text = `The text has ${formatCount(length)} characters`;
  const kept = part === "training" ? "training" : `the ${part} part`;
  return new CharnnError(
    "TEXT_TOO_SHORT",
    byDocuments
      ? `${text}: split at ${ends.noun} ends, this leaves no ${ends.noun} for ${kept}.`
      : `${text}: fewer than ${MIN_CHARACTERS} are left for ${kept}.`,
    fold
      ? fewerFolds(length, fractions, byDocuments)
      : otherFractions(length, fractions, byDocuments),
  );
}

function otherFractions(length: number, fractions: Fractions, byDocuments: boolean): string {
  const asked = (["validation", "test"] as const).filter((name) => fractions[name] > 0);
  const nothing = `hold nothing out (${asked.map((name) => `\`${name}: 0\``).join(" ")})`;
  const least = Math.ceil((100 * MIN_CHARACTERS) / length);
  const hasRoom = !byDocuments && (asked.length + 1) * least <= 100;
  return hasRoom
    ? `Give ${asked.map((name) => `\`${name}\``).join(" and ")} at least ${least / 100}, leave as much to train on, or ${nothing}.`
    : `Give a longer text, or ${nothing}.`;
}

function fewerFolds(length: number, { test }: Fractions, byDocuments: boolean): string {
  const most = Math.floor((length - Math.round(length * test)) / MIN_CHARACTERS);
  return byDocuments || most < 2
    ? "Give a longer text, fewer folds or a smaller `test`."
    : `\`crossValidate: ${most}\` fits, or give a longer text.`;
}
