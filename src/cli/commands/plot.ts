import type { ChalkInstance } from "chalk";
import type { Command } from "commander";
import { oneOf, wholeNumber } from "../../config/kinds.js";
import { METRIC_NAMES, type MetricName } from "../../config/names.js";
import { defaultsOf, type OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import { CharnnError } from "../../errors.js";
import type { Curve } from "../../report/curves.js";
import { formatCount } from "../../text.js";
import type { CommandContext } from "../context.js";
import { printableLine } from "../format/printable.js";
import { addOptions } from "../options/add-options.js";
import { chart } from "../terminal/chart.js";
import { styled } from "../terminal/styled.js";
import type { Terminal } from "../terminal/terminal.js";

interface PlotOptions {
  readonly metric?: MetricName;
  readonly width?: number;
  readonly height?: number;
  readonly out?: string;
  readonly json?: boolean;
}

const MIN_WIDTH = 40;

const PLOT = {
  metric: { kind: oneOf(METRIC_NAMES), value: "<name>", help: "Draw this metric", default: "loss" },
  width: {
    kind: wholeNumber(MIN_WIDTH),
    value: "<columns>",
    help: "Draw this many columns",
    decidedBy: "as wide as the terminal, or 80",
  },
  height: { kind: wholeNumber(4), value: "<rows>", help: "Draw this many rows", default: 16 },
  out: outOption,
  json: jsonOption("one object for each curve"),
} as const satisfies OptionsOf<PlotOptions>;

const PLOT_DEFAULTS = defaultsOf(PLOT);
/** The most points of each curve in the output for scripts. */
const MAX_POINTS = 1_000;

/** What the vertical axis measures. */
const AXES: Readonly<Record<MetricName, string>> = {
  loss: "nats/char",
  "training-loss": "nats/char",
  "validation-loss": "nats/char",
  "learning-rate": "learning rate",
  "gradient-norm": "gradient norm, before clipping",
  speed: "characters a second",
};

/** The colours of curves, one after the other. */
const COLORS = ["yellow", "cyan", "green", "magenta", "red", "blue"] as const;

export function plotCommand(program: Command, { terminal, interruption }: CommandContext): void {
  const command = program
    .command("plot")
    .summary("Plot losses in the terminal")
    .description("Draw losses, speed and more of runs in the terminal.")
    .argument("[runs...]", "names or folders of runs; the newest run when left out");
  addOptions(command, PLOT, [
    "charnn plot",
    "charnn plot night day --metric validation-loss",
    "charnn plot night --metric gradient-norm --width 60 > norm.txt",
    "charnn plot night --json",
  ]).action(async (names: string[], { json, ...options }: PlotOptions) => {
    const { checked, settingsSchema } = await import("../../config/schema.js");
    const given = checked(settingsSchema<Omit<PlotOptions, "json">>(PLOT), options);
    const { metric, height, out } = { ...PLOT_DEFAULTS, ...given };
    const width = given.width ?? Math.max(terminal.outWidth ?? 80, MIN_WIDTH);
    const { binned } = await import("../../report/binned.js");
    const { curvesOf } = await import("../../report/curves.js");
    const { readMetrics } = await import("../../runs/metrics-reader.js");
    const runs = [];
    for (const name of names.length > 0 ? names : [undefined]) {
      const metrics = await readMetrics(name, out, { signal: interruption.signal });
      for (const warning of metrics.warnings) terminal.warn(warning);
      runs.push(metrics);
    }
    const all = curvesOf(runs, metric);
    for (const { run, name, points } of all) {
      if (points.length === 0) terminal.warn(`${run} has reported no ${name}.`);
    }
    const curves = all.filter(({ points }) => points.length > 0);
    if (json) {
      for (const { run, name, points } of curves) {
        const shown = binned(points, MAX_POINTS).map(({ x, y, ...rest }) => {
          return { step: x, value: y, ...rest };
        });
        await terminal.out(`${JSON.stringify({ run, curve: name, points: shown })}\n`);
      }
      return;
    }
    refuseMany(curves);
    if (curves.length === 0) return;
    const { marks } = terminal;
    const lines = curves.map(({ points }, k) => {
      return { symbol: marks.points[k], points: binned(points, width) };
    });
    const drawn = chart(lines, width, height, marks);
    const legend = curves.map((curve, k) => `${marks.points[k]} ${summary(curve)}`);
    await show(terminal, [`${AXES[metric]}, by step`, ...drawn, ...legend]);
  });
}

/** `validation loss of night: 1.505 at step 5,000, least 1.503 at step 4,500` */
function summary({ run, name, points }: Curve): string {
  let [least, leastAt] = [Number.POSITIVE_INFINITY, 0];
  for (const [x, y, of = { least: y, leastAt: x }] of points) {
    if (of.least < least) ({ least, leastAt } = of);
  }
  const [x, y, of] = points[points.length - 1];
  const [step, value] = of?.last ?? [x, y];
  return (
    `${name} of ${printableLine(run)}: ${figure(value)} at step ${formatCount(step)}, ` +
    `least ${figure(least)} at step ${formatCount(leastAt)}`
  );
}

/** Four figures, and thousands with commas. */
function figure(value: number): string {
  return Math.abs(value) >= 1_000 ? formatCount(value) : String(Number(value.toPrecision(4)));
}

/** The lines in their colours, where there are some. */
async function show(terminal: Terminal, lines: readonly string[]): Promise<void> {
  const colors = new Map<string, ChalkInstance>(
    COLORS.map((color, k) => [terminal.marks.points[k], terminal.outColors[color]]),
  );
  const pieces = Array.from(`${lines.join("\n")}\n`, (character) => {
    const color = colors.get(character);
    return color ? styled(color, character) : character;
  });
  await terminal.out(...pieces);
}

function refuseMany(curves: readonly Curve[]): void {
  if (curves.length <= COLORS.length) return;
  throw new CharnnError(
    "INVALID_SETTING",
    `${curves.length} curves are too many for one picture: ${COLORS.length} can be told apart.`,
    "Name fewer runs.",
  );
}
