import type { MetricName } from "../config/names.js";
import type { CurveName, Metrics } from "../runs/metrics-collector.js";
import type { Point } from "../runs/thinned.js";

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
