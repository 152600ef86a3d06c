import type { DropoutMask } from "../backends/backend.js";
import { CELLS } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";
import type { Random } from "../random.js";

/**
 * The fractions that are dropped while a model learns. What is dropped stays dropped for a whole
 * window of text (Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent
 * Neural Networks", 2016), separately in each sequence of the batch.
 */
export interface DropoutRates {
  /** Of the outputs of each layer: between layers, and before the decoder. */
  readonly dropout: number;
  /** Of the characters' vectors. */
  readonly inputDropout: number;
  /** Of the vectors of n-grams, each for the whole batch alike. Left out: 0. */
  readonly ngramDropout?: number | undefined;
  /** Of what the recurrent weights read of the state. */
  readonly recurrentDropout: number;
  /**
   * Of the recurrent weights themselves, for the whole batch alike (Merity et al., "Regularizing and
   * Optimizing LSTM Language Models", 2018, section 2).
   */
  readonly weightDropout: number;
}

/** Rates, and the random numbers to draw by. */
export interface Dropout {
  readonly rates: DropoutRates;
  readonly random: Random;
}

/** Nothing is dropped. */
export const NO_DROPOUT: DropoutRates = {
  dropout: 0,
  inputDropout: 0,
  recurrentDropout: 0,
  weightDropout: 0,
};

/**
 * Masks of the characters' vectors that the sequences of a batch share: each one more costs another
 * product for every character.
 */
const INPUT_MASKS = 4;

/** The masks of one window, each undefined where nothing is dropped. */
export interface DropoutMasks {
  /** `[masks, input]`: of the characters' vectors. */
  readonly input: DropoutMask | undefined;
  /** What draws the vectors of n-grams that are dropped. */
  readonly ngrams: { readonly rate: number; readonly random: Random } | undefined;
  /** `[batch, hidden]`: of the outputs of a layer. */
  output(layer: number): DropoutMask | undefined;
  /** `[batch, hidden]` */
  state(layer: number): DropoutMask | undefined;
  /** `[gates, hidden]` */
  weight(layer: number): DropoutMask | undefined;
}

export function dropoutMasks(
  { cell, hiddenSize, embeddingSize, vocabularySize }: ModelConfig,
  { rates, random }: Dropout,
  batch: number,
): DropoutMasks {
  const mask = (length: number, rate: number, ...purpose: (string | number)[]) =>
    rate > 0 ? { length, rate, key: random.fork(...purpose).key } : undefined;
  const { ngramDropout: rate = 0 } = rates;
  const units = batch * hiddenSize;
  const weights = CELLS[cell].gates.length * hiddenSize * hiddenSize;
  const vectors = Math.min(batch, INPUT_MASKS) * (embeddingSize || vocabularySize);
  return {
    input: mask(vectors, rates.inputDropout, "input"),
    ngrams: rate > 0 ? { rate, random: random.fork("ngrams") } : undefined,
    output: (layer) => mask(units, rates.dropout, "output", layer),
    state: (layer) => mask(units, rates.recurrentDropout, "state", layer),
    weight: (layer) => mask(weights, rates.weightDropout, "weight", layer),
  };
}
