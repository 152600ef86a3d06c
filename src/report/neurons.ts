import { Turns } from "../turns.js";
import { type Property, propertiesOf } from "./properties.js";

/** How well a unit tracks a property. */
interface Tracking {
  /** From 0, over all layers. */
  readonly unit: number;
  /** See {@link Tracked}. */
  readonly score: number;
}

/** A property of the text, and the units that track it best. */
export interface Tracked {
  readonly property: string;
  /**
   * How well, on the second half of the text, by what was fitted on the first. For a number the fraction
   * of its variance that a straight line explains (R²), for a yes or no the mean of the fractions of both
   * that a threshold tells right (balanced accuracy; 0.5 is chance).
   */
  readonly measure: "R²" | "balanced accuracy";
  /** None where no unit does better than chance. */
  readonly best: readonly Tracking[];
}

const SHOWN_UNITS = 3;
const THRESHOLDS = 64;

/**
 * Finds for each property of a text the units whose activations track it best.
 *
 * @param activations of each unit, `[characters]`, when it has read the character
 * @throws the signal's reason once it is aborted
 */
export async function trackedProperties(
  characters: readonly string[],
  activations: readonly Float32Array[],
  signal?: AbortSignal,
): Promise<Tracked[]> {
  const turns = new Turns(signal);
  const half = Math.floor(characters.length / 2);
  const tracked: Tracked[] = [];
  for (const property of propertiesOf(characters)) {
    const chance = property.kind === "number" ? 0 : 0.5;
    const scoreOf = property.kind === "number" ? lineScore : thresholdScore;
    const scores: Tracking[] = [];
    for (const [unit, own] of activations.entries()) {
      scores.push({ unit, score: scoreOf(own, property, half) });
      await turns.give();
    }
    const best = scores
      .filter(({ score }) => score > chance)
      .sort((a, b) => b.score - a.score || a.unit - b.unit)
      .slice(0, SHOWN_UNITS);
    const measure = property.kind === "number" ? "R²" : "balanced accuracy";
    tracked.push({ property: property.name, measure, best });
  }
  return tracked;
}

/** The R² on what is from `half` on of the line that fits best what is before it. */
function lineScore(activations: Float32Array, { values }: Property, half: number): number {
  let [sumA, sumV, sumAA, sumAV] = [0, 0, 0, 0];
  for (let i = 0; i < half; i++) {
    sumA += activations[i];
    sumV += values[i];
    sumAA += activations[i] ** 2;
    sumAV += activations[i] * values[i];
  }
  const variance = sumAA - sumA ** 2 / half;
  const slope = variance > 0 ? (sumAV - (sumA * sumV) / half) / variance : 0;
  const start = (sumV - slope * sumA) / half;
  const mean =
    values.subarray(half).reduce((sum, value) => sum + value, 0) / (values.length - half);
  let [left, whole] = [0, 0];
  for (let i = half; i < values.length; i++) {
    left += (values[i] - start - slope * activations[i]) ** 2;
    whole += (values[i] - mean) ** 2;
  }
  return 1 - left / whole;
}

/** The balanced accuracy from `half` on of the threshold that is best before it. */
function thresholdScore(activations: Float32Array, { values }: Property, half: number): number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < half; i++) {
    least = Math.min(least, activations[i]);
    most = Math.max(most, activations[i]);
  }
  const binOf = (activation: number) =>
    Math.min(
      Math.max(Math.floor(((activation - least) / (most - least)) * THRESHOLDS), 0),
      THRESHOLDS - 1,
    );
  const counts = [new Float64Array(THRESHOLDS), new Float64Array(THRESHOLDS)];
  for (let i = 0; i < half; i++) counts[values[i]][binOf(activations[i])]++;
  const [noes, yeses] = counts.map((own) => own.reduce((sum, count) => sum + count, 0));
  // Yes is what lies from the threshold on, or, where that is better, below it.
  let best = { accuracy: 0, threshold: 0, above: true };
  let [noBelow, yesBelow] = [0, 0];
  for (let threshold = 0; threshold < THRESHOLDS; threshold++) {
    const accuracy = (noBelow / noes + 1 - yesBelow / yeses) / 2;
    if (accuracy > best.accuracy) best = { accuracy, threshold, above: true };
    if (1 - accuracy > best.accuracy) best = { accuracy: 1 - accuracy, threshold, above: false };
    noBelow += counts[0][threshold];
    yesBelow += counts[1][threshold];
  }
  const [right, all] = [new Float64Array(2), new Float64Array(2)];
  for (let i = half; i < values.length; i++) {
    const isYes = binOf(activations[i]) >= best.threshold === best.above;
    all[values[i]]++;
    if (isYes === (values[i] === 1)) right[values[i]]++;
  }
  return (right[0] / all[0] + right[1] / all[1]) / 2;
}
