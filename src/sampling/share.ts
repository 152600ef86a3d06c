import type { Vocabulary } from "../data/vocabulary.js";

/**
 * The share of one of several models that predict together: the probability of a character is the weighted mean of
 * theirs.
 *
 * A model does not read a character that it does not know, and gives it the probability 0. Where it has an unknown
 * character it reads that one instead, whose probability is shared equally by all characters of the mixture that the
 * model does not know.
 */
export class Share {
  /** How many characters the model knows. */
  readonly size: number;
  /** By token of the mixture, the model's own; -1 where it has none. */
  readonly #tokenOf: Int32Array;
  /** By token of the mixture, the share of the own token's probability that it gets. */
  readonly #weightOf: Float64Array;

  /**
   * @param own the model's characters
   * @param vocabulary the characters of all models
   * @param weight above 0; those of all add up to 1
   */
  constructor(own: Vocabulary, vocabulary: Vocabulary, weight: number) {
    this.size = own.size;
    this.#tokenOf = tokensOf(vocabulary, own);
    const lacking = this.#tokenOf.filter((token) => token === own.unknown).length;
    this.#weightOf = Float64Array.from(this.#tokenOf, (token) =>
      token === own.unknown ? weight / lacking : weight,
    );
  }

  /** The model's own tokens for those of the mixture; -1 for one that it does not read. */
  tokensFor(tokens: Int32Array): Int32Array {
    return tokens.map((token) => this.#tokenOf[token]);
  }

  /**
   * Adds the model's share to the probabilities of the mixture, which begin at `start`.
   *
   * @param own the probabilities of its characters
   */
  add(probabilities: Float64Array, start: number, own: Float64Array): void {
    const [tokenOf, weightOf] = [this.#tokenOf, this.#weightOf];
    for (let token = 0; token < tokenOf.length; token++) {
      if (tokenOf[token] >= 0)
        probabilities[start + token] += weightOf[token] * own[tokenOf[token]];
    }
  }
}

function tokensOf(vocabulary: Vocabulary, own: Vocabulary): Int32Array {
  const tokens = new Int32Array(vocabulary.size).fill(own.unknown ?? -1);
  for (const codePoint of vocabulary.codePoints()) {
    const token = own.tokenOf(codePoint);
    if (token !== undefined) tokens[vocabulary.indexOf(codePoint) as number] = token;
  }
  return tokens;
}
