import { createTokens, type Tokens, Vocabulary } from "../data/vocabulary.js";
import type { Random } from "../random.js";
import type { Parts } from "../turns.js";

const FIRST = 0x20;
const [SURROGATES, AFTER_SURROGATES] = [0xd800, 0xe000];
/** Characters that are drawn between two stops. */
const CHARACTERS_IN_PART = 1 << 15;

/** A text in which every character of a vocabulary is as likely as any other. */
export function* randomText(
  vocabularySize: number,
  length: number,
  random: Random,
): Parts<{ vocabulary: Vocabulary; tokens: Tokens }> {
  const codePoints = Array.from({ length: vocabularySize }, (_, index) => {
    const codePoint = FIRST + index;
    return codePoint < SURROGATES ? codePoint : codePoint - SURROGATES + AFTER_SURROGATES;
  });
  const tokens = createTokens(vocabularySize, length);
  for (let i = 0; i < length; i++) {
    tokens[i] = random.below(vocabularySize);
    if (i % CHARACTERS_IN_PART === 0) yield;
  }
  return { vocabulary: Vocabulary.fromCodePoints(codePoints), tokens };
}
