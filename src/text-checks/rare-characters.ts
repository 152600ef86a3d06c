import type { ModelConfig } from "../config/model.js";
import { parameterCount } from "../config/parameters.js";
import type { Corpus } from "../data/corpus.js";
import { countTokens } from "../data/vocabulary.js";
import { formatCount } from "../text.js";

/** Characters that occur at most this often are hardly learned. */
const RARELY = 2;
/** The least fraction of a model's parameters that is worth speaking of. */
const WORTH_SAVING = 0.1;

/**
 * Says so where a good part of a model belongs to characters that it hardly meets, and what saves it.
 *
 * @returns no or one sentence
 * @throws the signal's reason once it is aborted
 */
export async function rareCharactersNote(
  { train, vocabulary }: Corpus,
  model: ModelConfig,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  if (vocabulary.unknown !== undefined) return [];
  const counts = await countTokens(train.tokens, vocabulary.size, signal);
  const rare = counts.filter((it) => it <= RARELY).length;
  const smaller = { ...model, vocabularySize: vocabulary.size - rare + 1 };
  const saved = 1 - parameterCount(smaller) / parameterCount(model);
  if (rare < 2 || vocabulary.size - rare < 2 || saved < WORTH_SAVING) return [];
  const fraction = `${Math.round(100 * saved)} %`;
  return [
    `${formatCount(rare)} of the ${formatCount(vocabulary.size)} different characters occur at most ${RARELY} times in the training part, and ${fraction} of the model's parameters are for them alone. \`minCount: ${RARELY + 1}\` replaces them with one unknown character, which makes the model smaller.`,
  ];
}
