import type { Metrics } from "../runs/metrics-collector.js";
import { steadilyBinned } from "./binned.js";
import { type Curve, curvesOf } from "./curves.js";
import type { ChartData, Charts } from "./page/script/data.js";

/** Points of a curve: more than a screen has columns. */
const MAX_POINTS = 1_500;

/** The charts of some runs. */
export function chartsOf(runs: readonly Metrics[]): Charts {
  const bothLosses = runs.flatMap((run) => [
    ...curvesOf([run], "training-loss"),
    ...curvesOf([run], "validation-loss"),
  ]);
  return {
    loss: chartOf(bothLosses),
    rate: chartOf(curvesOf(runs, "learning-rate")),
    speed: chartOf(curvesOf(runs, "speed")),
  };
}

/** Curves over the same steps. */
function chartOf(curves: readonly Curve[]): ChartData {
  const shown = curves
    .filter(({ points }) => points.length > 0)
    .map(({ run, name, points }) => {
      const bins = steadilyBinned(points, MAX_POINTS);
      return { name: `${name} of ${run}`, values: new Map(bins.map(({ x, y }) => [x, y])) };
    });
  const steps = [...new Set(shown.flatMap(({ values }) => [...values.keys()]))].sort(
    (a, b) => a - b,
  );
  return {
    steps: steps.map((step) => Number(step.toFixed(1))),
    lines: shown.map(({ name, values }) => {
      return { name, values: steps.map((step) => rounded(values.get(step) ?? null)) };
    }),
  };
}

/** To five figures: no screen shows more. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(5));
}
