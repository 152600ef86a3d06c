import { parameterCount } from "../config/parameters.js";
import type { CharRnn } from "./char-rnn.js";
import { parameterViews } from "./parameters.js";

/** Gives a model the weights that `tensors` has under its parameters' names. */
export function loadWeights(
  model: CharRnn,
  tensors: ReadonlyMap<string, { readonly data: ArrayLike<number> }>,
): void {
  const values = new Float32Array(parameterCount(model.config));
  for (const [name, { data }] of parameterViews(model.config, values)) {
    const saved = tensors.get(name);
    if (saved === undefined) throw new Error(`There are no weights for ${name}.`);
    data.set(saved.data);
  }
  model.parameters.write(values);
}
