import { IGNORED_TARGET, type PositionedBatch } from "./batch.js";
import {
  divided,
  PIECE_LENGTH,
  type Pieces,
  readPieces,
  type Unscored,
  WARM_UP,
} from "./evaluation-pieces.js";
import type { Tokens } from "./vocabulary.js";

/**
 * Pieces of a held-out text on which a temperature is fitted, and which are not scored: at even distances, since how sure a
 * model can be differs from place to place.
 */
export class CalibrationPieces implements Unscored {
  readonly #pieces: Pieces;
  readonly #distance: number;
  /** Of a piece. */
  readonly #length: number;

  /**
   * @param length of the text
   * @param characters to fit on, about; at most half of the text
   */
  constructor(length: number, characters: number) {
    const { rows, groups } = divided(length, Math.round(characters / PIECE_LENGTH));
    const count = rows * groups;
    this.#distance = length / count;
    this.#length = Math.max(Math.round(characters / count), 1);
    // The target of a character is the one after it.
    const warmUp = Math.max(Math.min(WARM_UP, this.gap - 1), 0);
    this.#pieces = { rows, groups, warmUp, steps: warmUp + this.#length };
  }

  /** Characters that are read to fit a temperature. */
  get charactersRead(): number {
    const { rows, groups, steps } = this.#pieces;
    return rows * groups * steps;
  }

  get gap(): number {
    return Math.floor(this.#distance) - this.#length;
  }

  clear(begin: number, end: number): number {
    const length = end - begin;
    const cell = Math.floor((begin + length / 2) / this.#distance);
    const [first, last] = [this.#endOf(cell - 1), this.#endOf(cell) - this.#length - length];
    return first > last ? begin : Math.min(Math.max(begin, first), last);
  }

  /** Whether a character of the text is in a piece. */
  has(position: number): boolean {
    const end = this.#endOf(Math.floor(position / this.#distance));
    return position < end && position >= end - this.#length;
  }

  /** Batches with the characters of the pieces as targets. */
  batches(tokens: Tokens): Generator<PositionedBatch> {
    const { steps } = this.#pieces;
    return readPieces(tokens, this.#pieces, (piece) => this.#endOf(piece) - steps - 1);
  }

  /** The same batches, in which what is in a piece is no target. */
  *without(batches: Iterable<PositionedBatch>): Generator<PositionedBatch> {
    for (const batch of batches) {
      for (const [index, position] of batch.positions.entries()) {
        if (this.has(position)) batch.targets[index] = IGNORED_TARGET;
      }
      yield batch;
    }
  }

  #endOf(piece: number): number {
    return Math.floor((piece + 1) * this.#distance);
  }
}
