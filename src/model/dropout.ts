import { dropoutMask } from "../backends/backend.js";
import type { Tensor } from "../backends/tfjs.js";
import { CELLS } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";
import type { Random } from "../random.js";

/**
 * The shares that are dropped while a model learns. What is dropped stays dropped for a whole window
 * of text (Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural
 * Networks", 2016), in each lane by itself.
 */
export interface DropoutRates {
  /** Of the outputs of each layer: between layers, and before the decoder. */
  readonly dropout: number;
  /** Of the characters' vectors. */
  readonly inputDropout: number;
  /** Of what the recurrent weights see of the state. */
  readonly recurrentDropout: number;
  /**
   * Of the recurrent weights themselves, for all lanes alike (Merity et al., "Regularizing and
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
 * Lanes share so many masks of their characters' vectors: each one more costs another product for
 * every character.
 */
const INPUT_MASKS = 4;

/** The masks of one window for the kernels, each undefined where nothing is dropped. */
export interface DropoutMasks {
  readonly input: Tensor | undefined;
  /** `[batch, hidden]`: of the outputs of a layer. */
  output(layer: number): Tensor | undefined;
  /** `[batch, hidden]` */
  state(layer: number): Tensor | undefined;
  /** `[gates, hidden]` */
  weight(layer: number): Tensor | undefined;
}

export function dropoutMasks(
  { cell, hiddenSize, embeddingSize, vocabularySize }: ModelConfig,
  { rates, random }: Dropout,
  batch: number,
): DropoutMasks {
  const mask = (shape: number[], rate: number, ...purpose: (string | number)[]) =>
    rate > 0 ? dropoutMask({ shape, rate, key: random.fork(...purpose).key }) : undefined;
  const gates = CELLS[cell].gates.length * hiddenSize;
  const masks = Math.min(batch, INPUT_MASKS);
  return {
    input: mask([masks, embeddingSize || vocabularySize], rates.inputDropout, "input"),
    output: (layer) => mask([batch, hiddenSize], rates.dropout, "output", layer),
    state: (layer) => mask([batch, hiddenSize], rates.recurrentDropout, "state", layer),
    weight: (layer) => mask([gates, hiddenSize], rates.weightDropout, "weight", layer),
  };
}
