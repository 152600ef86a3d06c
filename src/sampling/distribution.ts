import type { Random } from "../random.js";
import { exponentials } from "./exponentials.js";

/** What the next character is chosen among. */
export interface ChoiceSettings {
  /** Only this many of the likeliest characters; 0: all. */
  readonly topK: number;
  /** Only the likeliest characters that together have this probability; 1: all. */
  readonly topP: number;
  /** Only characters at least this fraction as likely as the likeliest, before temperature; 0 or undefined: all. */
  readonly minP?: number | undefined;
}

/**
 * Chooses a token by its logits.
 *
 * @param logits of several texts, one after the other
 * @param start where those of this text begin
 * @param temperature divides the logits: below 1 the likely becomes likelier; 0 always takes the likeliest
 */
export type ChooseToken = (
  logits: ArrayLike<number>,
  start: number,
  random: Random,
  temperature: number,
) => number;

/**
 * How tokens are chosen: min-p first (Nguyen et al., "Turning Up the Heat", 2024, section 3), then temperature, top-k,
 * top-p (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020, section 3.1), then by chance
 * among what is left. Among equals the lower token comes first.
 */
export function tokenChooser(settings: ChoiceSettings, vocabularySize: number): ChooseToken {
  const { topK, topP, minP = 0 } = settings;
  const leastLogit = Math.log(minP);
  const weights = new Float64Array(vocabularySize);
  const isRestricted = (topK > 0 && topK < vocabularySize) || topP < 1;
  return (logits, start, random, temperature) => {
    let likeliest = 0;
    for (let token = 1; token < vocabularySize; token++) {
      if (logits[start + token] > logits[start + likeliest]) likeliest = token;
    }
    if (temperature === 0) return likeliest;
    const highest = logits[start + likeliest];
    let total = exponentials(weights, logits, start, highest, temperature);
    if (minP > 0) {
      total = 0;
      for (let token = 0; token < vocabularySize; token++) {
        if (logits[start + token] - highest < leastLogit) weights[token] = 0;
        total += weights[token];
      }
    }
    const allowed = isRestricted ? likelyTokens(weights, settings) : undefined;
    const draw = random.uniform() * (allowed ? sum(weights, allowed) : total);
    const choices = allowed ? allowed.length : vocabularySize;
    let passed = 0;
    for (let i = 0; i < choices; i++) {
      const token = allowed ? allowed[i] : i;
      passed += weights[token];
      if (draw < passed) return token;
    }
    return likeliest;
  };
}

/** The tokens that top-k and top-p leave to chance. */
function likelyTokens(weights: Float64Array, { topK, topP }: ChoiceSettings): Uint32Array {
  const byWeight = Uint32Array.from(weights.keys()).sort(
    (a, b) => weights[b] - weights[a] || a - b,
  );
  const likeliest = topK > 0 ? byWeight.subarray(0, topK) : byWeight;
  if (topP >= 1) return likeliest;
  const enough = topP * sum(weights, likeliest);
  let passed = 0;
  let count = 0;
  while (count < likeliest.length && passed < enough) passed += weights[likeliest[count++]];
  return likeliest.subarray(0, Math.max(count, 1));
}

function sum(weights: Float64Array, tokens: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < tokens.length; i++) total += weights[tokens[i]];
  return total;
}
