import type { Backend } from "../backends/backend.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { membersOf } from "../checkpoint/members.js";
import { memberCount } from "../config/members.js";
import type { RunConfig } from "../config/run.js";
import type { Corpus } from "../data/corpus.js";
import { countTokens } from "../data/vocabulary.js";
import { CharRnn, type ModelWorkspace } from "../model/char-rnn.js";
import { initFrom } from "../planning/init-from.js";
import { randomOfMember } from "./member.js";

/**
 * The models of a run with the weights of step 0: random ones, a function of the random seed, or those of a checkpoint
 * for the characters that it knows.
 *
 * @throws the signal's reason once it is aborted
 */
export async function firstModels(
  backend: Backend,
  config: RunConfig,
  { train, vocabulary }: Corpus,
  options: {
    readonly base?: Checkpoint | undefined;
    readonly workspace: ModelWorkspace;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<CharRnn[]> {
  const { base, workspace, signal } = options;
  const counts = await countTokens(train.tokens, vocabulary.size, signal);
  const bases = base ? membersOf(base) : [];
  const models: CharRnn[] = [];
  for (let member = 0; member < memberCount(config); member++) {
    const random = randomOfMember(config.training, member).fork("model");
    const model = await CharRnn.initial(backend, config.model, random, signal, counts, workspace);
    if (bases.length > 0) {
      initFrom(model, { vocabulary, tokens: train.tokens }, bases[member % bases.length]);
    }
    models.push(model);
  }
  return models;
}
