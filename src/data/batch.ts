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

/** A batch that knows its place in the text. */
export interface PlacedBatch extends Batch {
  /** `[time, batch]`: where the targets are; after the text's end is a newline that it may lack. */
  readonly positions: Int32Array;
}

/** The arrays of one batch after another. */
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

  /** A batch that is all padding, to be filled. It takes the place of the one before. */
  empty(time: number, startsFresh: boolean): PlacedBatch {
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
