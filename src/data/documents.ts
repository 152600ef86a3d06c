import { lastAtMost, numbersBelow } from "../arrays.js";
import { CharnnError } from "../errors.js";
import type { Random } from "../random.js";
import { NEWLINE } from "../text.js";
import type { Parts } from "../turns.js";
import { type BatchArrays, CHARACTERS_BEFORE, type PositionedBatch } from "./batch.js";
import type { Tokens, Vocabulary } from "./vocabulary.js";

/** Batches' worth of documents that are sorted by length together, so that there is little padding. */
const BATCHES_IN_POOL = 100;
/** Documents, or empty lines, that are gone through between two stops. */
const DOCUMENTS_IN_PART = 1 << 14;

/** The documents of a text, or parts of them. Empty ones are none. */
export interface Documents {
  readonly tokens: Tokens;
  /** The token after each document, which the last one may lack. */
  readonly end: number;
  /** Per document, the position of the first and of the last token that is predicted: of a whole one that of its end. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/**
 * Documents in groups of a batch. A document is read as the token of an end and its characters, and predicted as its
 * characters and that token. Longer ones than a window take several, one batch after the other.
 */
export interface Groups {
  /** Documents, group after group; the last group may be smaller. */
  readonly order: Uint32Array;
  /** Groups, in the order in which they come. */
  readonly groups: Uint32Array;
  /** Per index in `groups`, the index of its first batch; and, last, the number of batches. */
  readonly firstBatch: Uint32Array;
}

/** Finds the documents of a text, each of which ends by the token `end`; the last one need not. */
export function* findDocuments(tokens: Tokens, end: number): Parts<Documents> {
  const count = yield* forEachDocument(tokens, end, () => {});
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  yield* forEachDocument(tokens, end, (index, from, to) => {
    starts[index] = from;
    ends[index] = to;
  });
  return { tokens, end, starts, ends };
}

/**
 * Puts documents into groups of `batchSize`, each of about one length. With `random` documents and
 * groups come in a random order, else as they are in the text.
 */
export function* groupDocuments(
  documents: Documents,
  batchSize: number,
  seqLength: number,
  random: Random | undefined,
): Parts<Groups> {
  const order = numbersBelow(documents.starts.length);
  if (random) yield* random.fork("documents").shuffling(order);
  yield* sortPools(order, documents, batchSize * BATCHES_IN_POOL);
  const groups = numbersBelow(Math.ceil(order.length / batchSize));
  if (random) yield* random.fork("groups").shuffling(groups);
  const firstBatch = new Uint32Array(groups.length + 1);
  for (const [index, group] of groups.entries()) {
    if (index % DOCUMENTS_IN_PART === 0) yield;
    const longest = longestOf(
      order.subarray(group * batchSize, (group + 1) * batchSize),
      documents,
    );
    firstBatch[index + 1] = firstBatch[index] + Math.ceil(longest / seqLength);
  }
  return { order, groups, firstBatch };
}

/** The batch at `index`. Its arrays are those of `arrays`. */
export function documentBatch(
  documents: Documents,
  { order, groups, firstBatch }: Groups,
  index: number,
  seqLength: number,
  arrays: BatchArrays,
): PositionedBatch {
  const at = lastAtMost(firstBatch, index);
  const start = groups[at] * arrays.batch;
  const group = order.subarray(start, start + arrays.batch);
  const from = (index - firstBatch[at]) * seqLength;
  const time = Math.min(seqLength, longestOf(group, documents) - from);
  const { tokens, end, starts, ends } = documents;
  const batch = arrays.empty(time, from === 0);
  for (const [row, document] of group.entries()) {
    const first = starts[document];
    const last = ends[document];
    const inputAt = (position: number) => (position === 0 ? end : tokens[position - 1]);
    if (first + from > last) continue;
    // Before each document is the end of another one.
    for (let back = 1; back <= Math.min(CHARACTERS_BEFORE, from); back++) {
      batch.before[(CHARACTERS_BEFORE - back) * arrays.batch + row] = inputAt(first + from - back);
    }
    for (let step = 0; step < time; step++) {
      const position = first + from + step;
      if (position > last) break;
      const target = step * arrays.batch + row;
      batch.inputs[target] = inputAt(position);
      batch.targets[target] = position === tokens.length ? end : tokens[position];
      batch.positions[target] = position;
    }
  }
  return batch;
}

/** Calls `visit` with each document that is not empty; returns their number. */
function* forEachDocument(
  tokens: Tokens,
  endToken: number,
  visit: (index: number, start: number, end: number) => void,
): Parts<number> {
  let [visited, count] = [0, 0];
  for (const { start, end } of linesIn(tokens, endToken)) {
    if (visited++ % DOCUMENTS_IN_PART === 0) yield;
    if (end > start) visit(count++, start, end);
  }
  return count;
}

/**
 * The lines of a text, empty ones too: where each begins, and where it ends, without the newline.
 *
 * @param newline its token; -1 where the text has none
 */
export function* linesIn(
  tokens: Tokens,
  newline: number,
): Generator<{ readonly start: number; readonly end: number }, void> {
  for (let start = 0; start < tokens.length; ) {
    const next = tokens.indexOf(newline, start);
    const end = next === -1 ? tokens.length : next;
    yield { start, end };
    start = end + 1;
  }
}

/** Sorts each stretch of `poolSize` documents by length, keeping the order of those of equal length. */
function* sortPools(
  order: Uint32Array,
  { starts, ends }: Documents,
  poolSize: number,
): Parts<void> {
  for (let start = 0; start < order.length; start += poolSize) {
    yield;
    const pool = order.slice(start, start + poolSize);
    // Length and index in one number, exact below 2^53: typed arrays sort numbers fast.
    const keys = Float64Array.from(
      pool,
      (document, index) => (ends[document] - starts[document]) * poolSize + index,
    ).sort();
    for (const [index, key] of keys.entries()) order[start + index] = pool[key % poolSize];
  }
}

/** Steps that the longest of these documents takes: its characters and the end. */
function longestOf(group: Uint32Array, { starts, ends }: Documents): number {
  return group.reduce((longest, it) => Math.max(longest, ends[it] - starts[it] + 1), 0);
}

/** What one document is called in a sentence: `line`, `paragraph`, `file`, or `piece` between separators. */
export function documentNoun(documents: string): string {
  return documents === "lines" || documents === "paragraphs" || documents === "files"
    ? documents.slice(0, -1)
    : "piece";
}

/** How many documents a part of a text has, each with its end; 0 for running text. */
export function countDocuments(
  tokens: Tokens,
  { documents, vocabulary }: { documents: string | undefined; vocabulary: Vocabulary },
): number {
  if (documents === undefined) return 0;
  const end = documentEndOf(vocabulary, documents);
  let ends = 0;
  for (const token of tokens) if (token === end) ends++;
  return ends;
}

/**
 * The token at the end of each document, with which each is read too: the newline for `"lines"`, and for all others
 * the end of a document.
 *
 * @throws CharnnError `BAD_TEXT` for a model that does not know it
 */
export function documentEndOf(vocabulary: Vocabulary, documents: string): number {
  const end = documents === "lines" ? vocabulary.indexOf(NEWLINE) : vocabulary.documentEnd;
  if (end !== undefined) return end;
  throw documents === "lines"
    ? new CharnnError(
        "BAD_TEXT",
        "The model knows no newline, so it can't read a text line by line.",
        "Use a model that was trained on text with line breaks.",
      )
    : new CharnnError(
        "BAD_TEXT",
        "The model knows no end of a document, so it can't read a text as several of them.",
        "Use a model that was trained with `documents`.",
      );
}
