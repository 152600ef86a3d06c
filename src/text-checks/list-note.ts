import type { Corpus } from "../data/corpus.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { formatCount, NEWLINE } from "../text.js";
import { inPieces } from "../turns.js";

/** A list has at least so many lines; fewer may be anything. */
const MIN_LINES = 200;
/** In characters: names, words and titles are shorter than lines of verse. */
const MAX_LENGTH = 40;
const MEAN_LENGTH = 24;
/** Spaces in a line, on average: a sentence has more. */
const MEAN_SPACES = 1.5;
/** Of the lines: those that are longer, that are empty, or that end as sentences and verses do. */
const MAX_EXCEPTIONS = 0.03;
const MAX_PUNCTUATED = 0.1;
const PUNCTUATION = /[.,;:!?\u2026\u3001\u3002"'\u2019\u201d)}\]]/u;

/**
 * Says so where a text that is read as one looks like a list of names, words or titles.
 *
 * @returns no or one sentence with the option that reads it as a list
 * @throws the signal's reason once it is aborted
 */
export async function listNote(
  { documents, train: { tokens }, vocabulary }: Corpus,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const newline = vocabulary.indexOf(NEWLINE);
  if (documents !== undefined || newline === undefined) return [];
  const space = vocabulary.indexOf(0x20);
  const isPunctuation = punctuationOf(vocabulary);
  let [lines, empty, long, spaces, punctuated, start] = [0, 0, 0, 0, 0, 0];
  await inPieces(tokens.length, signal, (from, to) => {
    for (let at = from; at < to; at++) {
      if (tokens[at] === space) spaces++;
      if (tokens[at] !== newline) continue;
      const length = at - start;
      lines++;
      if (length === 0) empty++;
      else if (isPunctuation[tokens[at - 1]]) punctuated++;
      if (length > MAX_LENGTH) long++;
      start = at + 1;
    }
  });
  const isList =
    lines >= MIN_LINES &&
    long + empty <= MAX_EXCEPTIONS * lines &&
    tokens.length <= MEAN_LENGTH * lines &&
    spaces <= MEAN_SPACES * lines &&
    punctuated <= MAX_PUNCTUATED * lines;
  if (!isList) return [];
  return [
    `The text looks like a list: ${formatCount(lines)} short lines in the training part. \`documents: lines\` reads each as a text by itself, holds out random ones, and makes each sample a new line.`,
  ];
}

/** Of each token whether it ends sentences and the like. */
function punctuationOf(vocabulary: Vocabulary): boolean[] {
  return Array.from(vocabulary.codePoints(), (it) => PUNCTUATION.test(String.fromCodePoint(it)));
}
