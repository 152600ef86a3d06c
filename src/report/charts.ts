import type { CurveName } from "../runs/metrics-collector.js";
import type { Point } from "../runs/thinned.js";
import { steadilyBinned } from "./binned.js";
import type { AxisMetric, ChartData, ChartLine, Charts, RunData } from "./page/script/data.js";
import { progressAxes } from "./progress-axes.js";
import type { ReportedRun } from "./reported-run.js";

/** Points of a curve: more than a screen has columns. */
const MAX_POINTS = 1_500;

/** A curve before it is put over the same steps as others. */
interface Curve extends Omit<ChartLine, "values"> {
  readonly points: readonly Point[];
}

/** The charts of some runs. */
export function chartsOf(runs: readonly ReportedRun[]): Charts {
  const chart = (...metrics: readonly CurveName[]) =>
    chartOf(
      runs.flatMap(({ metrics: { curves } }, run) =>
        metrics.map((metric): Curve => ({ run, metric, points: curves[metric] })),
      ),
    );
  return {
    loss: chart("training-loss", "validation-loss"),
    rate: chart("learning-rate"),
    speed: chart("speed"),
    norm: chart("gradient-norm"),
    axes: chartOf(
      runs.flatMap((own, run) => {
        const axes = progressAxes(own);
        const names = Object.keys(axes) as AxisMetric[];
        return names.map((metric): Curve => ({ run, metric, points: axes[metric] }));
      }),
    ),
  };
}

/** What the charts say of each run beside its curves. */
export function runsData(runs: readonly ReportedRun[]): RunData[] {
  return runs.map(({ metrics: { run, best }, facts }) => {
    const baseline = facts?.config.text.counting;
    return { name: run.name, best: best ?? null, baseline: baseline ?? null };
  });
}

/** Curves over the same steps. */
function chartOf(curves: readonly Curve[]): ChartData {
  const shown = curves
    .filter(({ points }) => points.length > 0)
    .map(({ points, ...line }) => {
      const bins = steadilyBinned(points, MAX_POINTS);
      return { ...line, values: new Map(bins.map(({ x, y }) => [x, y])) };
    });
  const steps = [...new Set(shown.flatMap(({ values }) => [...values.keys()]))].sort(
    (a, b) => a - b,
  );
  return {
    steps: steps.map((step) => Number(step.toFixed(1))),
    lines: shown.map(({ values, ...line }): ChartLine => {
      return { ...line, values: steps.map((step) => rounded(values.get(step) ?? null)) };
    }),
  };
}

/** To five figures: no screen shows more. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(5));
}
