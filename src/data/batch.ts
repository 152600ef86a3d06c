import type { Tokens } from "./vocabulary.js";

/** The target of padding: not learned, not scored. */
export const IGNORED_TARGET = -1;

/** One step's worth of text. Both arrays are `[time, batch]`. */
export interface Batch {
  /** Indices of the characters read. */
  readonly inputs: Int32Array;
  /** Indices of the characters that follow them; {@link IGNORED_TARGET} is padding. */
  readonly targets: Int32Array;
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

/** Arrays that one batch after another uses. */
export class BatchArrays {
  readonly #inputs: Int32Array;
  readonly #targets: Int32Array;
  readonly #positions: Int32Array;

  constructor(
    seqLength: number,
    readonly batch: number,
  ) {
    this.#inputs = new Int32Array(seqLength * batch);
    this.#targets = new Int32Array(seqLength * batch);
    this.#positions = new Int32Array(seqLength * batch);
  }

  /** A batch that is all padding, to be filled. It takes over the arrays of the batch before, which is gone. */
  empty(time: number, startsFresh: boolean): PositionedBatch {
    const length = time * this.batch;
    return {
      inputs: this.#inputs.subarray(0, length).fill(0),
      targets: this.#targets.subarray(0, length).fill(IGNORED_TARGET),
      positions: this.#positions.subarray(0, length).fill(0),
      time,
      batch: this.batch,
      startsFresh,
    };
  }
}

/** Writes the characters from `position` on as inputs, and those after each as targets, into a row of a batch. */
export function fillRow(
  batch: PositionedBatch,
  row: number,
  tokens: Tokens,
  position: number,
): void {
  const steps = Math.min(batch.time, tokens.length - 1 - position);
  for (let step = 0; step < steps; step++) {
    const at = step * batch.batch + row;
    batch.inputs[at] = tokens[position + step];
    batch.targets[at] = tokens[position + step + 1];
    batch.positions[at] = position + step + 1;
  }
}
