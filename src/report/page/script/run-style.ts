import { make } from "./elements.js";

/** As the page's style has them; more runs share them, and their lines are dashed. */
const COLORS = 6;
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

/** A color of the page's style. */
export function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The color of a run, which it has everywhere. */
export function runColor(run: number): string {
  return colorOf(`--run-${run % COLORS}`);
}

export function runDash(run: number): number[] {
  return DASHES[Math.floor(run / COLORS) % DASHES.length];
}

/** A run's name beside its color. */
export function runLabel(name: string, run: number): HTMLElement {
  const label = make("span", "run");
  label.append(make("i", `swatch run-${run % COLORS}`), name);
  return label;
}
