import type { Backend } from "../backends/backend.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { RunConfig } from "../config/run.js";
import type { Corpus } from "../data/corpus.js";
import { countTokens } from "../data/vocabulary.js";
import { CharRnn, type ModelWorkspace } from "../model/char-rnn.js";
import { initFrom } from "../planning/init-from.js";
import { Random } from "../random.js";

/**
 * A model with the weights of step 0: random ones, a function of the random seed, or those of a checkpoint for
 * the characters that it knows.
 *
 * @throws the signal's reason once it is aborted
 */
export async function firstModel(
  backend: Backend,
  config: RunConfig,
  { train, vocabulary }: Corpus,
  options: {
    readonly base?: Checkpoint | undefined;
    readonly workspace: ModelWorkspace;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<CharRnn> {
  const { base, workspace, signal } = options;
  const counts = await countTokens(train.tokens, vocabulary.size, signal);
  const random = Random.fromSeed(config.training.randomSeed).fork("model");
  const model = await CharRnn.initial(backend, config.model, random, signal, counts, workspace);
  if (base) initFrom(model, vocabulary, base);
  return model;
}
