import type { Progress } from "../config/run.js";
import type { Batch } from "../data/batch.js";
import type { Batches } from "../data/batches.js";
import type { CharRnn, ModelState } from "../model/char-rnn.js";

/** What a step moves on through: a text in batches, and a state that goes from one to the next. */
export interface Reader {
  readonly batches: Batches;
  readonly progress: Pick<Progress, "epoch" | "batch">;
  /** The state before the next batch. */
  state: ModelState;
}

/**
 * Where in the text a step has come to. The reader itself stays where it was until the step is whole, so that
 * a step that is interrupted leaves nothing behind.
 */
export class Position {
  readonly #reader: Reader;
  readonly #model: CharRnn;
  #epoch: number;
  #batch: number;
  #state: ModelState;

  constructor(reader: Reader, model: CharRnn) {
    this.#reader = reader;
    this.#model = model;
    this.#epoch = reader.progress.epoch;
    this.#batch = reader.progress.batch;
    this.#state = reader.state;
  }

  /** The state before the next batch. */
  get state(): ModelState {
    return this.#state;
  }

  /**
   * The next batch, inputs and targets `[time, batch]`. Where it begins the text, the state is zero.
   *
   * @throws the signal's reason once it is aborted
   */
  async next(signal: AbortSignal | undefined): Promise<Batch> {
    const { batches } = this.#reader;
    await batches.prepare(this.#epoch, signal);
    const batch = batches.at(this.#epoch, this.#batch);
    if (batch.startsFresh) this.#state = this.#model.zeroState(batch.batch);
    return batch;
  }

  /** Moves past the batch, with the state after it. */
  pass(state: ModelState): void {
    this.#state = state;
    this.#batch++;
    if (this.#batch === this.#reader.batches.batchesInEpoch(this.#epoch)) {
      this.#epoch++;
      this.#batch = 0;
    }
  }

  /** Takes the reader here. */
  keep(): void {
    this.#reader.progress.epoch = this.#epoch;
    this.#reader.progress.batch = this.#batch;
    this.#reader.state = this.#state;
  }
}
