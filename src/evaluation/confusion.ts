import type { Batch } from "../data/batch.js";
import { IGNORED_TARGET } from "../data/batch.js";
import type { Vocabulary } from "../data/vocabulary.js";
import type { PositionScores } from "../model/char-rnn.js";

/** Two characters of which one was predicted instead of the other. */
export interface Confusion {
  readonly character: string;
  readonly predicted: string;
  readonly count: number;
  /** The fraction of all occurrences of the character. */
  readonly share: number;
}

/** How a model's predictions divide among the characters. */
export interface Classification {
  /** Fraction of the characters that were among the five likeliest. */
  readonly topFiveAccuracy: number;
  /** Means over all characters that came or were predicted, each weighted equally. */
  readonly macroPrecision: number;
  readonly macroRecall: number;
  readonly macroF1: number;
  /** The pairs that were mistaken most often. */
  readonly confused: readonly Confusion[];
}

const MAX_CONFUSED = 10;

/** Counts what was predicted, position by position. */
export class ConfusionMatrix {
  readonly #size: number;
  /** By target times the vocabulary's size plus prediction. */
  readonly #pairs = new Map<number, number>();
  readonly #came: Float64Array;
  readonly #predicted: Float64Array;
  #topFive = 0;

  constructor(readonly vocabulary: Vocabulary) {
    this.#size = vocabulary.size;
    this.#came = new Float64Array(this.#size);
    this.#predicted = new Float64Array(this.#size);
  }

  add({ targets }: Batch, { predictions, ranks }: PositionScores): void {
    for (let position = 0; position < targets.length; position++) {
      const target = targets[position];
      if (target === IGNORED_TARGET) continue;
      const prediction = predictions[position];
      const pair = target * this.#size + prediction;
      this.#pairs.set(pair, (this.#pairs.get(pair) ?? 0) + 1);
      this.#came[target]++;
      this.#predicted[prediction]++;
      if (ranks[position] < 5) this.#topFive++;
    }
  }

  /**
   * Precision is the fraction of a character's predictions that were right, recall that of its occurrences that
   * were predicted, F1 their harmonic mean; 0 where there is nothing to divide by (Sokolova and Lapalme,
   * "A systematic analysis of performance measures for classification tasks", 2009, table 3).
   */
  finish(): Classification {
    let [classes, precisions, recalls, f1s, all] = [0, 0, 0, 0, 0];
    for (let token = 0; token < this.#size; token++) {
      const [came, predicted] = [this.#came[token], this.#predicted[token]];
      all += came;
      if (came + predicted === 0) continue;
      const right = this.#pairs.get(token * this.#size + token) ?? 0;
      classes++;
      precisions += predicted > 0 ? right / predicted : 0;
      recalls += came > 0 ? right / came : 0;
      f1s += (2 * right) / (came + predicted);
    }
    return {
      topFiveAccuracy: this.#topFive / all,
      macroPrecision: precisions / classes,
      macroRecall: recalls / classes,
      macroF1: f1s / classes,
      confused: this.#mostConfused(),
    };
  }

  #mostConfused(): Confusion[] {
    const pairOf = (key: number) => [Math.floor(key / this.#size), key % this.#size] as const;
    const mistaken = [...this.#pairs].filter(([key]) => {
      const [target, prediction] = pairOf(key);
      return target !== prediction;
    });
    // Of pairs that are as frequent the one with the lower characters comes first.
    mistaken.sort(([a, countOfA], [b, countOfB]) => countOfB - countOfA || a - b);
    return mistaken.slice(0, MAX_CONFUSED).map(([key, count]) => {
      const [target, prediction] = pairOf(key);
      return {
        character: this.vocabulary.characterAt(target),
        predicted: this.vocabulary.characterAt(prediction),
        count,
        share: count / this.#came[target],
      };
    });
  }
}
