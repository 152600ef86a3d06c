/** Models as `test/reference/` defines them, with the weights of the program's. */
import type { ModelConfig } from "#src/config/model.js";
import type { CharRnn } from "#src/model/char-rnn.js";
import { parameterViews } from "#src/model/parameters.js";
import type { Vector } from "../reference/cells.js";
import { crossEntropy, model } from "../reference/model.js";

type Weights = Iterable<[name: string, { readonly data: ArrayLike<number> }]>;

/** The weights of a model as they are now, by PyTorch name. */
export function weightsOf({ config, parameters }: CharRnn): Map<string, Vector> {
  return inDoubles(parameterViews(config, parameters.read()));
}

/** One state of zeros for each layer. */
export function zeroStates({ cell, layers, hiddenSize }: ModelConfig, batch: number) {
  const zeros = new Float64Array(batch * hiddenSize);
  const state = { hidden: zeros, ...(cell === "lstm" && { cellState: zeros }) };
  return Array.from({ length: layers }, () => state);
}

/**
 * Predicts all but the first token of a text, from a state of zero.
 *
 * @returns the loss of each in nats, and how many had the largest logit
 */
export function predictions(
  config: ModelConfig,
  weights: Weights,
  tokens: ArrayLike<number>,
): { losses: number[]; correct: number } {
  const [inputs, targets] = [Array.from(tokens).slice(0, -1), Array.from(tokens).slice(1)];
  const { cell, vocabularySize } = config;
  const states = zeroStates(config, 1);
  const { logits } = model(cell, inDoubles(weights), Int32Array.from(inputs), states);
  const correct = targets.filter((target, position) => {
    const scores = logits.subarray(position * vocabularySize, (position + 1) * vocabularySize);
    return scores.indexOf(Math.max(...scores)) === target;
  });
  const losses = crossEntropy(logits, Int32Array.from(targets));
  return { losses: [...losses], correct: correct.length };
}

function inDoubles(weights: Weights): Map<string, Vector> {
  return new Map(Array.from(weights, ([name, { data }]) => [name, Float64Array.from(data)]));
}
