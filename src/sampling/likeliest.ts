import type { Vocabulary } from "../data/vocabulary.js";

/** A character that may come next. */
export interface NextCharacter {
  /** `""` for the end of a document. */
  readonly character: string;
  readonly probability: number;
}

/** @param top how many, the likeliest first */
export function likeliest(
  probabilities: Float64Array,
  vocabulary: Vocabulary,
  top: number,
): NextCharacter[] {
  return [...probabilities.keys()]
    .filter((token) => token !== vocabulary.unknown)
    .sort((a, b) => probabilities[b] - probabilities[a] || a - b)
    .slice(0, top)
    .map((token) => ({
      character: vocabulary.characterAt(token),
      probability: probabilities[token],
    }));
}

/** The probabilities of the logits of one text. */
export function softmax(logits: Float32Array): Float64Array {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
