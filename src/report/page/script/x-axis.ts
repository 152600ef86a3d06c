/** What stands on the horizontal axis of the charts: the step, or what a run had done by then. */
import type { AxisMetric, ChartData } from "./data.js";

export type AxisName = "step" | "epoch" | "minutes" | "characters";

const METRICS: Readonly<Record<Exclude<AxisName, "step">, AxisMetric>> = {
  epoch: "epoch",
  minutes: "seconds",
  characters: "characters",
};
const AXIS_NAMES: readonly AxisName[] = ["step", "epoch", "minutes", "characters"];

/** Those that all runs have. */
export function axesFor(axes: ChartData, runs: number): AxisName[] {
  return AXIS_NAMES.filter(
    (axis) =>
      axis === "step" ||
      Array.from({ length: runs }, (_, run) => run).every((run) => lineOf(axes, axis, run)),
  );
}

/** Where the steps of a run are on an axis. */
export function placesOf(axes: ChartData, axis: AxisName, run: number): (step: number) => number {
  const line = axis === "step" ? undefined : lineOf(axes, axis, run);
  if (!line) return (step) => step;
  const unit = axis === "minutes" ? 60 : 1;
  const points = axes.steps.flatMap((step, k) => {
    const value = line.values[k];
    return value === null || value === undefined ? [] : [{ step, value: value / unit }];
  });
  return (step) => between(points, step);
}

/** How a place on an axis is written, such as `step 1,200` or `2 min 5 s`. */
export function placeText(axis: AxisName, place: number): string {
  const count = Math.round(place).toLocaleString("en");
  if (axis === "step") return `step ${count}`;
  if (axis === "characters") return `${count} characters`;
  if (axis === "epoch") return `epoch ${place.toFixed(2)}`;
  const seconds = Math.round(60 * place);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

interface Place {
  readonly step: number;
  readonly value: number;
}

/** On the straight lines between the points; the first and the last line continue beyond them. */
function between(points: readonly Place[], step: number): number {
  if (points.length < 2) return points[0]?.value ?? step;
  let [low, high] = [0, points.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle].step <= step) low = middle;
    else high = middle;
  }
  const [from, to] = [points[low], points[high]];
  return from.value + ((to.value - from.value) * (step - from.step)) / (to.step - from.step);
}

function lineOf(axes: ChartData, axis: Exclude<AxisName, "step">, of: number) {
  return axes.lines.find(({ run, metric }) => run === of && metric === METRICS[axis]);
}
