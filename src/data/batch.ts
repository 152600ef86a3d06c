import { MAX_NGRAM_ORDER } from "../config/names.js";
import type { Tokens } from "./vocabulary.js";

/** The target of padding: not learned, not scored. */
export const IGNORED_TARGET = -1;

/** Characters in each row of {@link Batch.before}: as many as the longest n-grams need. */
export const CHARACTERS_BEFORE = MAX_NGRAM_ORDER - 1;

/** In {@link Batch.before}: there is no character, or none is known. */
export const NOTHING_BEFORE = -1;

/** One step's worth of text. Inputs and targets are `[time, batch]`. */
export interface Batch {
  /** Indices of the characters read. */
  readonly inputs: Int32Array;
  /** Indices of the characters that follow them; {@link IGNORED_TARGET} is padding. */
  readonly targets: Int32Array;
  /**
   * `[CHARACTERS_BEFORE, batch]`: the characters before each row's first input, in the order of the text;
   * {@link NOTHING_BEFORE} where the row starts fresh.
   */
  readonly before: Int32Array;
  readonly time: number;
  readonly batch: number;
  /** Whether the hidden state must be zero before this batch; else it is carried from the one before. */
  readonly startsFresh: boolean;
}

/** A batch that knows its positions in the text. */
export interface PositionedBatch extends Batch {
  /** `[time, batch]`: where the targets are; after the text's end is a newline that it may lack. */
  readonly positions: Int32Array;
}

/** {@link Batch.before} of rows that start fresh. */
export function nothingBefore(rows: number): Int32Array {
  return new Int32Array(CHARACTERS_BEFORE * rows).fill(NOTHING_BEFORE);
}

/** {@link Batch.before} of a single row that goes on at a position of a text. */
export function tokensBefore(tokens: Tokens, position: number): Int32Array {
  const before = nothingBefore(1);
  const known = tokens.subarray(Math.max(position - CHARACTERS_BEFORE, 0), position);
  before.set(known, CHARACTERS_BEFORE - known.length);
  return before;
}

/** {@link Batch.before} of what follows a batch. */
export function tokensBeforeNext({ before, inputs }: Pick<Batch, "before" | "inputs">): Int32Array {
  const all = new Int32Array(before.length + inputs.length);
  all.set(before);
  all.set(inputs, before.length);
  return all.slice(inputs.length);
}

/** Arrays that one batch after another uses. */
export class BatchArrays {
  readonly #inputs: Int32Array;
  readonly #targets: Int32Array;
  readonly #positions: Int32Array;
  readonly #before: Int32Array;

  constructor(
    seqLength: number,
    readonly batch: number,
  ) {
    this.#inputs = new Int32Array(seqLength * batch);
    this.#targets = new Int32Array(seqLength * batch);
    this.#positions = new Int32Array(seqLength * batch);
    this.#before = new Int32Array(CHARACTERS_BEFORE * batch);
  }

  /** A batch that is all padding, to be filled. It takes over the arrays of the batch before, which is gone. */
  empty(time: number, startsFresh: boolean): PositionedBatch {
    const length = time * this.batch;
    return {
      inputs: this.#inputs.subarray(0, length).fill(0),
      targets: this.#targets.subarray(0, length).fill(IGNORED_TARGET),
      positions: this.#positions.subarray(0, length).fill(0),
      before: this.#before.fill(NOTHING_BEFORE),
      time,
      batch: this.batch,
      startsFresh,
    };
  }
}

/**
 * Writes the characters from `position` on as inputs, and those after each as targets, into a row of a batch. One that
 * does not start fresh goes on from the characters before.
 */
export function fillRow(
  batch: PositionedBatch,
  row: number,
  tokens: Tokens,
  position: number,
): void {
  if (!batch.startsFresh) {
    for (let back = 1; back <= Math.min(CHARACTERS_BEFORE, position); back++) {
      batch.before[(CHARACTERS_BEFORE - back) * batch.batch + row] = tokens[position - back];
    }
  }
  const steps = Math.min(batch.time, tokens.length - 1 - position);
  for (let step = 0; step < steps; step++) {
    const at = step * batch.batch + row;
    batch.inputs[at] = tokens[position + step];
    batch.targets[at] = tokens[position + step + 1];
    batch.positions[at] = position + step + 1;
  }
}
