import { createTokens, type Tokens, Vocabulary } from "../data/vocabulary.js";
import type { Random } from "../random.js";

const FIRST = 0x20;
const [SURROGATES, AFTER_SURROGATES] = [0xd800, 0xe000];

/** A text in which every one of so many characters is as likely as any other. */
export function randomText(
  vocabularySize: number,
  length: number,
  random: Random,
): { vocabulary: Vocabulary; tokens: Tokens } {
  const codePoints = Array.from({ length: vocabularySize }, (_, index) => {
    const codePoint = FIRST + index;
    return codePoint < SURROGATES ? codePoint : codePoint - SURROGATES + AFTER_SURROGATES;
  });
  const tokens = createTokens(vocabularySize, length).map(() => random.below(vocabularySize));
  return { vocabulary: Vocabulary.fromCodePoints(codePoints), tokens };
}
