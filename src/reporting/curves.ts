import type { MetricName } from "../defaults.js";
import type { Point } from "./binned.js";
import type { Metrics } from "./metrics.js";

/** How something went during a run. */
export interface Curve {
  /** Of the run. */
  readonly run: string;
  /** `validation loss` */
  readonly name: string;
  /** Steps, and values there. */
  readonly points: readonly Point[];
}

/** What can be looked at, the curve's name first. Losses are in nats/character. */
const CURVES: Readonly<
  Record<Exclude<MetricName, "loss">, readonly [string, (metrics: Metrics) => readonly Value[]]>
> = {
  "training-loss": ["training loss", ({ steps }) => steps.map(({ step, loss }) => [step, loss])],
  "validation-loss": [
    "validation loss",
    ({ evaluations }) => evaluations.map(({ step, validationLoss }) => [step, validationLoss]),
  ],
  "learning-rate": [
    "learning rate",
    ({ steps }) => steps.map(({ step, learningRate }) => [step, learningRate]),
  ],
  "gradient-norm": [
    "gradient norm",
    ({ steps }) => steps.map(({ step, gradientNorm }) => [step, gradientNorm]),
  ],
  speed: [
    "chars/s",
    ({ steps }) => steps.map(({ step, charsPerSecond }) => [step, charsPerSecond]),
  ],
};

/** Undefined and null where there is none, or none that is finite. */
type Value = readonly [step: number, value: number | null | undefined];

/** A curve of what a run has reported; without points where it has reported nothing of the kind. */
function curveOf(metrics: Metrics, metric: keyof typeof CURVES): Curve {
  const [name, values] = CURVES[metric];
  const points: Point[] = [];
  for (const [step, value] of values(metrics)) {
    if (typeof value === "number") points.push([step, value]);
  }
  return { run: metrics.run.name, name, points };
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
