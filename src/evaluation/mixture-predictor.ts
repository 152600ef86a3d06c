import { type Batch, IGNORED_TARGET } from "../data/batch.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { type PositionScores, type Score, scoreOf } from "../model/char-rnn.js";
import type { OpenPart } from "../sampling/mixture.js";
import { MixtureReader, type MixtureState } from "../sampling/mixture-reader.js";
import type { Turns } from "../turns.js";

/** Several models that score texts together. */
export class MixturePredictor {
  readonly #reader: MixtureReader;
  readonly #size: number;

  /** @param parts and `vocabulary` as {@link MixtureReader} takes them */
  constructor(parts: readonly OpenPart[], vocabulary: Vocabulary) {
    this.#reader = new MixtureReader(parts, vocabulary);
    this.#size = vocabulary.size;
  }

  zeroState(batch: number): MixtureState {
    return this.#reader.zeroState(batch);
  }

  async score(
    batch: Batch,
    state: MixtureState,
    turns: Turns,
  ): Promise<{ score: Score; positions: PositionScores; state: MixtureState }> {
    const { inputs, targets, batch: rows } = batch;
    const size = this.#size;
    const positions = {
      losses: new Float32Array(targets.length),
      predictions: new Int32Array(targets.length),
      ranks: new Int32Array(targets.length),
    };
    let after = state;
    for await (const predicted of this.#reader.read(inputs, rows, state, turns)) {
      const { first, probabilities } = predicted;
      for (let at = 0; at < probabilities.length / size; at++) {
        const position = first * rows + at;
        if (targets[position] === IGNORED_TARGET) continue;
        const own = probabilities.subarray(at * size, (at + 1) * size);
        place(positions, position, own, targets[position]);
      }
      after = predicted.state;
    }
    return { score: scoreOf(batch, positions), positions, state: after };
  }

  dispose(): void {
    this.#reader.dispose();
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
