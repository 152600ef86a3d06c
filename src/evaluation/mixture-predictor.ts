import { type Batch, IGNORED_TARGET } from "../data/batch.js";
import { type PositionScores, type Score, scoreOf } from "../model/char-rnn.js";
import type { Mixture } from "../sampling/mixture.js";
import type { MixtureSession } from "../sampling/mixture-session.js";
import type { Turns } from "../turns.js";

/** Of each row what its session knows of the text so far. */
type MixtureState = readonly Float32Array[];

/**
 * Several models that score texts together, by the same session as writes them. They read the rows of a batch side by
 * side, one character of each row at a time: accuracy and ranks need the probabilities of all characters, which are
 * kept for one position only.
 */
export class MixturePredictor {
  readonly #mixture: Mixture;
  #open: { readonly session: MixtureSession; readonly rows: number } | undefined;

  /** @param mixture the predictor's own from now on */
  constructor(mixture: Mixture) {
    this.#mixture = mixture;
  }

  zeroState(batch: number): MixtureState {
    const zero = new Float32Array(this.#session(batch).stateSize);
    return Array.from({ length: batch }, () => zero);
  }

  async score(
    batch: Batch,
    state: MixtureState,
    turns: Turns,
  ): Promise<{ score: Score; positions: PositionScores; state: MixtureState }> {
    const { inputs, targets, time, batch: rows } = batch;
    const session = this.#session(rows);
    for (const [row, ofRow] of state.entries()) session.writeState(row, ofRow);
    const positions = {
      losses: new Float32Array(targets.length),
      predictions: new Int32Array(targets.length),
      ranks: new Int32Array(targets.length),
    };
    for (let step = 0; step < time; step++) {
      if (turns.isDue()) await turns.take();
      const start = step * rows;
      session.read(inputs.subarray(start, start + rows));
      for (let row = 0; row < rows; row++) {
        const target = targets[start + row];
        if (target === IGNORED_TARGET) continue;
        place(positions, start + row, session.predict(row), target);
      }
    }
    const after = state.map((_, row) => session.readState(row));
    return { score: scoreOf(batch, positions), positions, state: after };
  }

  dispose(): void {
    this.#open?.session.dispose();
    this.#mixture.dispose();
  }

  /** A session of as many rows, or of more. */
  #session(rows: number): MixtureSession {
    if (!this.#open || this.#open.rows < rows) {
      this.#open?.session.dispose();
      this.#open = undefined;
      this.#open = { session: this.#mixture.openDecodeSession(rows), rows };
    }
    return this.#open.session;
  }
}

/** Writes down how a target was predicted. */
function place(
  { losses, predictions, ranks }: PositionScores,
  at: number,
  probabilities: Float64Array,
  target: number,
): void {
  const own = probabilities[target];
  let [likeliest, rank] = [0, 0];
  for (let token = 0; token < probabilities.length; token++) {
    if (probabilities[token] > probabilities[likeliest]) likeliest = token;
    const isBefore = token < target && probabilities[token] === own;
    if (probabilities[token] > own || isBefore) rank++;
  }
  losses[at] = -Math.log(own);
  predictions[at] = likeliest;
  ranks[at] = rank;
}
