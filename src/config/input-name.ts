import type { ModelConfig } from "./model.js";

/** `embedding of 32`, `embedding of 32, n-grams up to 3` or `one-hot input` */
export function inputName({ embeddingSize, ngramOrder }: ModelConfig): string {
  if (embeddingSize === 0) return "one-hot input";
  return `embedding of ${embeddingSize}${ngramOrder ? `, n-grams up to ${ngramOrder}` : ""}`;
}
