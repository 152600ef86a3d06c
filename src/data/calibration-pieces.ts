import { IGNORED_TARGET, type PositionedBatch } from "./batch.js";
import { mostRows, PIECE_LENGTH, type Pieces, readPieces, WARM_UP } from "./evaluation-pieces.js";
import type { Tokens } from "./vocabulary.js";

/**
 * Pieces of a held-out text on which a temperature is fitted, and which are not scored: at even distances, since how sure a
 * model can be differs from place to place.
 */
export class CalibrationPieces {
  readonly #pieces: Pieces;
  readonly #distance: number;
  /** Of a piece. */
  readonly #length: number;

  /**
   * @param length of the text
   * @param characters to fit on, about; at most half of the text
   */
  constructor(length: number, characters: number) {
    const wanted = Math.max(Math.round(characters / PIECE_LENGTH), 1);
    const groups = Math.ceil(wanted / mostRows(length));
    const rows = Math.floor(wanted / groups);
    const count = rows * groups;
    this.#distance = length / count;
    this.#length = Math.max(Math.round(characters / count), 1);
    // The target of a character is the one after it.
    const before = Math.floor(this.#distance) - this.#length - 1;
    const warmUp = Math.max(Math.min(WARM_UP, before), 0);
    this.#pieces = { rows, groups, warmUp, steps: warmUp + this.#length };
  }

  /** Characters that are read to fit a temperature. */
  get charactersRead(): number {
    const { rows, groups, steps } = this.#pieces;
    return rows * groups * steps;
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
  async *without(batches: AsyncIterable<PositionedBatch>): AsyncGenerator<PositionedBatch, void> {
    for await (const batch of batches) {
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
