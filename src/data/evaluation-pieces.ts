import { BatchArrays, fillRow, IGNORED_TARGET, type PositionedBatch } from "./batch.js";
import type { Tokens } from "./vocabulary.js";

/**
 * Characters in a piece: many short pieces say more of a long text than few long ones, since the loss differs from
 * place to place (`bench/quality/LOG.md`).
 */
export const PIECE_LENGTH = 512;
/** Characters read before those a piece is to score, so that its hidden state fits the text. */
export const WARM_UP = 256;
/** Characters of a text for each row of an evaluation's batches, up to the most rows. */
const CHARACTERS_PER_ROW = 10_000;
export const MAX_BATCH_ROWS = 64;
export const EVALUATION_SEQ_LENGTH = 256;

/** The most rows in the batches in which a text of this many characters is scored. */
export function mostRows(length: number): number {
  return Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor(length / CHARACTERS_PER_ROW)));
}

/** How a part of a text is scored: pieces at even distances, a number of batch rows at a time. */
export interface Pieces {
  readonly rows: number;
  /** How many times `rows` pieces are read. */
  readonly groups: number;
  /** Characters in each piece that are not scored, and all. */
  readonly warmUp: number;
  readonly steps: number;
}

/** @param most characters to score, about, in all; fewer than the text has */
export function evaluationPieces(length: number, most: number, pieceLength: number): Pieces {
  const { rows, groups } = divided(length, Math.floor(most / pieceLength));
  const scored = Math.max(Math.round(most / (rows * groups)), 1);
  const warmUp = Math.min(WARM_UP, length - 1 - scored);
  return { rows, groups, warmUp, steps: warmUp + scored };
}

/** About as many pieces as are wanted, in equal groups. */
export function divided(length: number, wanted: number): Pick<Pieces, "rows" | "groups"> {
  const count = Math.max(wanted, 1);
  const groups = Math.ceil(count / mostRows(length));
  return { rows: Math.floor(count / groups), groups };
}

/** Pieces of a text that are not to be scored. */
export interface Unscored {
  /** Characters between two of them. */
  readonly gap: number;
  /** Moves a window of the text into the nearest gap, where it fits into one, and returns its new beginning. */
  clear(begin: number, end: number): number;
}

/** Batches that score pieces of a text at even distances. */
export function piecewiseEvaluation(
  tokens: Tokens,
  most: number,
  pieceLength: number,
  unscored?: Unscored,
): Generator<PositionedBatch> {
  const pieces = evaluationPieces(tokens.length, most, pieceLength);
  const { rows, groups, steps } = pieces;
  const distance = (tokens.length - 1 - steps) / Math.max(rows * groups - 1, 1);
  const startOf = (piece: number) => Math.floor(piece * distance);
  if (!unscored) return readPieces(tokens, pieces, startOf);
  const scored = steps - pieces.warmUp;
  // So that there is room for it before the first piece that is not scored.
  const warmUp = Math.max(Math.min(pieces.warmUp, unscored.gap - scored - 1), 0);
  const inGap = { rows, groups, warmUp, steps: warmUp + scored };
  return readPieces(tokens, inGap, (piece) => {
    // The target of a character is the one after it.
    const begin = startOf(piece) + pieces.warmUp + 1;
    return Math.max(unscored.clear(begin, begin + scored) - warmUp - 1, 0);
  });
}

/**
 * Batches that score pieces of a text, each from a hidden state of zero.
 *
 * @param startOf the first character that is read of a piece
 */
export function* readPieces(
  tokens: Tokens,
  { rows, groups, warmUp, steps }: Pieces,
  startOf: (piece: number) => number,
): Generator<PositionedBatch> {
  const arrays = new BatchArrays(Math.min(EVALUATION_SEQ_LENGTH, steps), rows);
  for (let group = 0; group < groups; group++) {
    for (let first = 0; first < steps; first += EVALUATION_SEQ_LENGTH) {
      const batch = arrays.empty(Math.min(EVALUATION_SEQ_LENGTH, steps - first), first === 0);
      for (let row = 0; row < rows; row++) {
        fillRow(batch, row, tokens, startOf(group * rows + row) + first);
      }
      const unscored = Math.min(Math.max(warmUp - first, 0), batch.time);
      batch.targets.fill(IGNORED_TARGET, 0, unscored * rows);
      yield batch;
    }
  }
}
