import type { Backend } from "#src/backends/backend.js";
import type { ModelConfig } from "#src/config/model.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { initialWeights } from "#src/model/initial-weights.js";
import type { Random } from "#src/random.js";
import { atOnce } from "#src/turns.js";

/** A model with the weights that training starts from. */
export function initialModel(backend: Backend, config: ModelConfig, random: Random): CharRnn {
  const model = new CharRnn(backend, config);
  model.parameters.write(atOnce(initialWeights(config, random)));
  return model;
}

/** Bytes of scratch memory that a model holds. */
export function scratchBytes({ workspace: { layers, decoder } }: CharRnn): number {
  return layers.reduce((sum, work) => sum + work.bytes, decoder.bytes);
}
