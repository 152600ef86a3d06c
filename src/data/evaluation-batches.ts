import { inTurns, type Parts } from "../turns.js";
import { BatchArrays, fillRow, IGNORED_TARGET, type PositionedBatch } from "./batch.js";
import type { CalibrationPieces } from "./calibration-pieces.js";
import {
  type Documents,
  documentBatch,
  documentEndOf,
  findDocuments,
  type Groups,
  groupDocuments,
} from "./documents.js";
import {
  EVALUATION_SEQ_LENGTH,
  evaluationPieces,
  MAX_BATCH_ROWS,
  mostRows,
  piecewiseEvaluation,
} from "./evaluation-pieces.js";
import type { Tokens, Vocabulary } from "./vocabulary.js";

/** The same where only a part of a text is scored, and not in pieces. */
const CHARACTERS_PER_ROW_OF_PART = 4_000;
/** Where an evaluation would score a larger fraction of a text, it scores all of it. */
const MAX_PART = 0.9;
/** Characters read before those a row is to score, so that its hidden state fits the text. */
const WARM_UP = 1_000;

/** Which of a text's characters are scored; all when nothing is given. */
interface Scored {
  /** Of a longer text about this many, always the same: pieces, or documents, at even distances. */
  readonly most?: number | undefined;
  /** Characters of each of these pieces; undefined: as many as there are for each of up to 64 rows. */
  readonly pieceLength?: number | undefined;
  /** What is not scored of a text without documents. */
  readonly calibration?: CalibrationPieces | undefined;
}

/**
 * Batches for scoring a text: all characters but the first are targets exactly once. A long text is
 * read in up to 64 rows, each of which first reads 1,000 characters before its own whose targets are
 * {@link IGNORED_TARGET}. With `documents` the characters of each and the end after it are scored,
 * as in {@link createBatches}. The arrays of a batch are used again by the next.
 *
 * @throws the signal's reason once it is aborted while documents are put in order
 */
export async function* evaluationBatches(
  tokens: Tokens,
  documents: string | undefined,
  vocabulary: Vocabulary,
  { signal, ...scored }: Scored & { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<PositionedBatch, void> {
  if (documents === undefined) {
    const { calibration } = scored;
    const batches = ofRunningText(tokens, scored);
    yield* calibration ? calibration.without(batches) : batches;
  } else {
    const { most = Number.POSITIVE_INFINITY } = scored;
    const inOrder = inDocuments(tokens, documentEndOf(vocabulary, documents), most);
    yield* documentEvaluation(await inTurns(inOrder, signal));
  }
}

function ofRunningText(
  tokens: Tokens,
  { most = Number.POSITIVE_INFINITY, pieceLength, calibration }: Scored,
): Generator<PositionedBatch> {
  return pieceLength !== undefined && isPartOf(tokens.length, most)
    ? piecewiseEvaluation(tokens, most, pieceLength, calibration)
    : parallelEvaluation(tokens, most);
}

/** Characters that are read to score a text, those included whose targets are not scored. */
export function charactersRead(
  length: number,
  documents: string | undefined,
  most: number = Number.POSITIVE_INFINITY,
  pieceLength?: number,
): number {
  const isPart = isPartOf(length, most);
  if (documents !== undefined) return isPart ? most : length;
  if (pieceLength !== undefined && isPart) {
    const { rows, groups, steps } = evaluationPieces(length, most, pieceLength);
    return rows * groups * steps;
  }
  const { rows, steps } = evaluationRows(length, most);
  return rows * steps;
}

/** Whether an evaluation of about `most` characters leaves a part of a text of this length out. */
export function isPartOf(length: number, most: number): boolean {
  return most < MAX_PART * length;
}

/** The largest windows in which a text is read to be scored, however long it is. */
export const MAX_EVALUATION = { time: EVALUATION_SEQ_LENGTH, batch: MAX_BATCH_ROWS };

/** The windows in which a text is read to be scored. */
export function evaluationShape(
  length: number,
  documents: string | undefined,
): { time: number; batch: number } {
  if (documents !== undefined) return MAX_EVALUATION;
  const { rows, steps } = evaluationRows(length, Number.POSITIVE_INFINITY);
  return { time: Math.min(EVALUATION_SEQ_LENGTH, steps), batch: rows };
}

/** How many rows the batches have, of how many characters each, with those that are not scored. */
function evaluationRows(length: number, most: number): { rows: number; steps: number } {
  const isPart = isPartOf(length, most);
  const scored = isPart ? most : Math.max(length - 1, 0);
  const ofPart = Math.min(MAX_BATCH_ROWS, Math.floor((scored + 1) / CHARACTERS_PER_ROW_OF_PART));
  const rows = isPart ? Math.max(1, ofPart) : mostRows(scored + 1);
  const steps = Math.ceil((scored + (rows - 1) * WARM_UP) / rows);
  return { rows, steps };
}

/**
^ * The rows begin at even distances, the first at the beginning, and the last ends with the text. All
 * but the first have a warm-up; where the whole text is scored, it reads what the row before scores.
 */
function* parallelEvaluation(tokens: Tokens, most: number): Generator<PositionedBatch> {
  const { rows, steps } = evaluationRows(tokens.length, most);
  const distance = isPartOf(tokens.length, most)
    ? (tokens.length - 1 - steps) / Math.max(rows - 1, 1)
    : steps - WARM_UP;
  const arrays = new BatchArrays(Math.min(EVALUATION_SEQ_LENGTH, steps), rows);
  for (let first = 0; first < steps; first += EVALUATION_SEQ_LENGTH) {
    const batch = arrays.empty(Math.min(EVALUATION_SEQ_LENGTH, steps - first), first === 0);
    for (let row = 0; row < rows; row++) {
      fillRow(batch, row, tokens, Math.floor(row * distance) + first);
      const unscored = row === 0 ? 0 : Math.min(WARM_UP - first, batch.time);
      for (let step = 0; step < unscored; step++) {
        batch.targets[step * rows + row] = IGNORED_TARGET;
      }
    }
    yield batch;
  }
}

/** The documents of a text that are scored, and how. */
interface ScoredDocuments {
  readonly documents: Documents;
  readonly groups: Groups;
  readonly batchSize: number;
}

function* inDocuments(tokens: Tokens, end: number, most: number): Parts<ScoredDocuments> {
  const all = yield* findDocuments(tokens, end);
  const isPart = isPartOf(tokens.length, most);
  const documents = isPart ? evenDocuments(all, most / tokens.length) : all;
  const batchSize = Math.max(1, Math.min(MAX_BATCH_ROWS, documents.starts.length));
  const groups = yield* groupDocuments(documents, batchSize, EVALUATION_SEQ_LENGTH, undefined);
  return { documents, groups, batchSize };
}

function* documentEvaluation({
  documents,
  groups,
  batchSize,
}: ScoredDocuments): Generator<PositionedBatch> {
  const arrays = new BatchArrays(EVALUATION_SEQ_LENGTH, batchSize);
  const batches = groups.firstBatch.at(-1) as number;
  for (let index = 0; index < batches; index++) {
    yield documentBatch(documents, groups, index, EVALUATION_SEQ_LENGTH, arrays);
  }
}

/** A fraction of the documents, at even distances; one at least. */
function evenDocuments(documents: Documents, fraction: number): Documents {
  const all = documents.starts.length;
  const count = Math.min(Math.max(Math.ceil(all * fraction), 1), all);
  const pick = (bounds: Uint32Array) =>
    Uint32Array.from({ length: count }, (_, index) => bounds[Math.floor((index * all) / count)]);
  return { ...documents, starts: pick(documents.starts), ends: pick(documents.ends) };
}
