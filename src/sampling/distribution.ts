import type { Random } from "../random.js";

/** How adventurously the next character is chosen. */
export interface ChoiceSettings {
  /** Divides the logits: below 1 the likely becomes likelier; 0 always takes the likeliest. */
  readonly temperature: number;
  /** Only so many of the likeliest characters; 0: all. */
  readonly topK: number;
  /** Only the likeliest characters that together have this probability; 1: all. */
  readonly topP: number;
}

/**
 * Chooses a token by its logits: temperature first, then top-k, then top-p (Holtzman et al., "The
 * Curious Case of Neural Text Degeneration", 2020, section 3.1), then by chance among what is left.
 * Among equals the lower token comes first.
 *
 * @param logits `[vocabulary]`
 */
export function chooseToken(
  logits: ArrayLike<number>,
  settings: ChoiceSettings,
  random: Random,
): number {
  const likeliest = indexOfLargest(logits);
  if (settings.temperature === 0) return likeliest;
  const weights = Float64Array.from(logits, (logit) =>
    Math.exp((logit - logits[likeliest]) / settings.temperature),
  );
  const allowed = likelyTokens(weights, settings);
  const total = sum(weights, allowed);
  const draw = random.uniform() * total;
  let passed = 0;
  for (const token of allowed) {
    passed += weights[token];
    if (draw < passed) return token;
  }
  return likeliest;
}

/** The tokens that top-k and top-p leave to chance. */
function likelyTokens(weights: Float64Array, { topK, topP }: ChoiceSettings): Uint32Array {
  const all = Uint32Array.from(weights.keys());
  const restrictsCount = topK > 0 && topK < weights.length;
  if (!restrictsCount && topP >= 1) return all;
  const byWeight = all.sort((a, b) => weights[b] - weights[a] || a - b);
  const likeliest = restrictsCount ? byWeight.subarray(0, topK) : byWeight;
  if (topP >= 1) return likeliest;
  const enough = topP * sum(weights, likeliest);
  let passed = 0;
  let count = 0;
  while (count < likeliest.length && passed < enough) passed += weights[likeliest[count++]];
  return likeliest.subarray(0, Math.max(count, 1));
}

function sum(weights: Float64Array, tokens: Uint32Array): number {
  let total = 0;
  for (const token of tokens) total += weights[token];
  return total;
}

function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
