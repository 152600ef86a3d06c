import type { Progress } from "../config/run.js";
import type { Batch } from "../data/batch.js";
import type { Batches } from "../data/batches.js";
import type { ModelState } from "../model/char-rnn.js";
import type { Member } from "./member.js";

/** What a step moves on through: a text in batches, and states of the members that go from one to the next. */
export interface Reader {
  readonly batches: Batches;
  readonly progress: Pick<Progress, "epoch" | "batch">;
  readonly members: readonly Pick<Member, "learner" | "state">[];
}

/**
 * Where in the text a step has come to. The reader itself stays where it was until the step is whole, so that
 * a step that is interrupted leaves nothing behind.
 */
export class Position {
  readonly #reader: Reader;
  #epoch: number;
  #batch: number;
  #states: readonly ModelState[];

  constructor(reader: Reader) {
    this.#reader = reader;
    this.#epoch = reader.progress.epoch;
    this.#batch = reader.progress.batch;
    this.#states = reader.members.map(({ state }) => state);
  }

  /** Those of the members before the next batch. */
  get states(): readonly ModelState[] {
    return this.#states;
  }

  /**
   * The next batch, inputs and targets `[time, batch]`. Where it begins the text, the states are zero.
   *
   * @throws the signal's reason once it is aborted
   */
  async next(signal: AbortSignal | undefined): Promise<Batch> {
    const { batches, members } = this.#reader;
    await batches.prepare(this.#epoch, signal);
    const batch = batches.at(this.#epoch, this.#batch);
    if (batch.startsFresh) {
      this.#states = members.map(({ learner }) => learner.model.zeroState(batch.batch));
    }
    return batch;
  }

  /** Moves past the batch, with the states after it. */
  pass(states: readonly ModelState[]): void {
    this.#states = states;
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
    for (const [index, member] of this.#reader.members.entries())
      member.state = this.#states[index];
  }
}
