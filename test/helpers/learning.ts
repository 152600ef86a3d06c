import { type Dropout, NO_DROPOUT } from "#src/model/dropout.js";
import { Random } from "#src/random.js";

/** Drops nothing. */
export function nothingDropped(): Dropout {
  return { rates: NO_DROPOUT, random: Random.fromSeed(0) };
}

/** Drops something everywhere. */
export function muchDropped(seed: number): Dropout {
  const rates = { dropout: 0.4, inputDropout: 0.2, recurrentDropout: 0.3, weightDropout: 0.1 };
  return { rates, random: Random.fromSeed(seed) };
}

/** How an optimizer takes its steps in tests. */
export const STEPS = {
  clipNorm: 0.3,
  clipValue: 0.05,
  weightDecay: 0.01,
  averageDecay: 0.9,
} as const;
