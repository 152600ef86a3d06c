/** What a chart's lines are, with their values where the pointer is, or else their last ones. */
import type { ChartLine, RunData } from "./data.js";
import { make } from "./elements.js";
import { runLabel } from "./run-style.js";

const UNITS: Readonly<Record<string, string>> = {
  loss: "nats/char",
  rate: "",
  speed: "chars/s",
  norm: "",
};

const ROLES: Readonly<Record<string, string>> = {
  "validation-loss": "held out",
  "training-loss": "training",
};

/** A line of a chart, and its values. */
export interface LegendLine extends Pick<ChartLine, "run" | "metric"> {
  readonly values: readonly (number | null | undefined)[];
}

/**
 * Shows a legend.
 *
 * @param index of the values; null for the last ones
 * @param place where they are, as it is written; undefined for the last ones
 */
export function showLegend(
  legend: HTMLElement,
  chart: string,
  runs: readonly RunData[],
  lines: readonly LegendLine[],
  index: number | null,
  place: string | undefined,
): void {
  const entries = runs.flatMap(({ name }, run) => {
    const own = lines.filter((line) => line.run === run);
    if (own.length === 0) return [];
    const entry = make("span", "entry");
    entry.append(runLabel(name, run));
    // What is held out counts most.
    for (const [k, line] of own.toReversed().entries()) {
      const value = valueUpTo(line.values, index);
      const role = ROLES[line.metric];
      entry.append(k === 0 ? " " : ", ", role === undefined ? "" : `${role} `);
      entry.append(make("span", "value", value === undefined ? "–" : format(chart, value)));
    }
    if (UNITS[chart]) entry.append(` ${UNITS[chart]}`);
    return [entry];
  });
  legend.replaceChildren(make("span", "place", place ?? "last values"), ...entries);
}

/** The value at an index, or else the last one before it. */
function valueUpTo(values: LegendLine["values"], index: number | null): number | undefined {
  for (let k = index ?? values.length - 1; k >= 0; k--) {
    const value = values[k];
    if (value !== null && value !== undefined) return value;
  }
  return undefined;
}

function format(chart: string, value: number): string {
  if (chart === "loss") return value.toFixed(3);
  if (chart === "speed") return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
