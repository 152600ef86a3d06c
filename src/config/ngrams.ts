import type { ModelConfig } from "./model.js";

/**
 * Embeddings of n-grams: beside the vector of each character, what a layer reads has one of the last two characters, one
 * of the last three, and so on. Where there are more n-grams than a table has rows, several share a row by their hash.
 *
 * Source: hash n-gram embeddings of Pagnoni et al., "Byte Latent Transformer: Patches Scale Better Than Tokens", 2024,
 * section 3.2.1, https://arxiv.org/abs/2412.09871
 */

/** The table of the n-grams of one length: a parameter `[rows, embedding]`. */
export interface NgramTable {
  /** Of the parameter. */
  readonly name: string;
  readonly rows: number;
  /** What the symbols of an n-gram are multiplied by, that of its last character first. */
  readonly factors: readonly number[];
}

type NgramConfig = Pick<ModelConfig, "vocabularySize" | "ngramOrder" | "ngramRows">;

/** A prime. Sums of symbols times factors are below 2^53, so that all numbers are exact in doubles and in 64 bits. */
export const NGRAM_MODULUS = 536_870_909;

/** Far from multiples of large powers of two, which would leave many rows without an n-gram. */
const MULTIPLIERS = [334_214_459, 216_613_571, 482_813_621, 119_549_117, 405_010_933];

/** The tables of a model's n-grams, those of the shortest first. */
export function ngramTables({
  vocabularySize,
  ngramOrder = 1,
  ngramRows = 0,
}: NgramConfig): NgramTable[] {
  const symbols = vocabularySize + 1;
  return Array.from({ length: ngramOrder - 1 }, (_, index) => {
    const order = index + 2;
    const isPlain = symbols ** order <= ngramRows;
    return {
      name: `ngram${order}.weight`,
      rows: isPlain ? symbols ** order : ngramRows,
      factors: MULTIPLIERS.slice(0, order).map((multiplier, back) =>
        isPlain ? symbols ** back : multiplier,
      ),
    };
  });
}

/** Whether a parameter of this name is a table of n-grams. */
export function isNgramTable(name: string): boolean {
  return /^ngram\d+\.weight$/.test(name);
}

/**
 * The row of a table that an n-gram has. A character's symbol is its token plus 1; 0 stands for nothing, before the
 * beginning of a text.
 *
 * @param symbols those of a text, in its order
 * @param last where the n-gram's last one is in them
 */
export function ngramRow(
  { rows, factors }: NgramTable,
  symbols: ArrayLike<number>,
  last: number,
): number {
  let sum = 0;
  for (let back = 0; back < factors.length; back++) sum += symbols[last - back] * factors[back];
  return (sum % NGRAM_MODULUS) % rows;
}
