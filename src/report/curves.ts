import type { MetricName } from "../config/names.js";
import type { CurveName, Metrics } from "../runs/metrics-collector.js";
import type { Point } from "../runs/thinned.js";
import { steadilyBinned } from "./binned.js";
import type { ChartData, Charts } from "./page/script/data.js";

/** How something went during a run. */
export interface Curve {
  /** Of the run. */
  readonly run: string;
  /** `validation loss` */
  readonly name: string;
  /** Steps, and values there. Losses are in nats/character. */
  readonly points: readonly Point[];
}

const NAMES: Readonly<Record<CurveName, string>> = {
  "training-loss": "training loss",
  "validation-loss": "validation loss",
  "learning-rate": "learning rate",
  "gradient-norm": "gradient norm",
  speed: "chars/s",
};

/** A curve of what a run has reported; without points where it has reported nothing of the kind. */
function curveOf({ run, curves }: Metrics, metric: CurveName): Curve {
  return { run: run.name, name: NAMES[metric], points: curves[metric] };
}

/**
 * The curves that show a metric of some runs. For `loss` these are both losses of a single run, and of
 * several runs the validation loss of each, or its training loss where it validates nothing.
 */
export function curvesOf(runs: readonly Metrics[], metric: MetricName): Curve[] {
  if (metric !== "loss") return runs.map((run) => curveOf(run, metric));
  return runs.flatMap((run) => {
    const training = curveOf(run, "training-loss");
    const validation = curveOf(run, "validation-loss");
    if (validation.points.length === 0) return [training];
    return runs.length > 1 ? [validation] : [training, validation];
  });
}

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
