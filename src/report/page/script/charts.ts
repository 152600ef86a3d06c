import type uPlotClass from "uplot";
import type { ChartData, Charts, RunData } from "./data.js";
import { element } from "./elements.js";
import { type LegendLine, showLegend } from "./legend.js";
import { drawMarks, type SampleMarks } from "./marks.js";
import { colorOf, runColor, runDash } from "./run-style.js";
import { type AxisName, placesOf, placeText } from "./x-axis.js";

/** The library, which a script before this one brings. */
declare const uPlot: typeof uPlotClass;

/** The charts that are drawn, and their heights in pixels. */
const HEIGHTS = { loss: 340, rate: 170, speed: 170, norm: 170 } as const;
type ChartName = keyof typeof HEIGHTS;
const CHARTS = Object.keys(HEIGHTS) as ChartName[];

/** Beside the last values, as a part of the horizontal axis. */
const ROOM = 0.01;

/** What the charts show. */
export interface ChartsState {
  runs: readonly RunData[];
  data: Charts;
  axis: AxisName;
  samples: SampleMarks;
}

interface DrawnChart {
  readonly chart: uPlotClass;
  readonly lines: readonly LegendLine[];
}

/** The charts, which share one horizontal axis. */
export class ChartGroup {
  readonly state: ChartsState;
  /** Called with the place that the pointer is at, undefined where it is outside. */
  readonly #onPlace: (place: number | undefined) => void;
  readonly #drawn = new Map<ChartName, DrawnChart>();
  /** The part of the axis that the reader chose. */
  #chosen: readonly [from: number, to: number] | undefined;

  constructor(state: ChartsState, onPlace: (place: number | undefined) => void) {
    this.state = state;
    this.#onPlace = onPlace;
    element("show-all").addEventListener("click", () => this.#choose(undefined));
  }

  /** Where a run's step is on the horizontal axis. */
  placeOf(run: number, step: number): number {
    return placesOf(this.state.data.axes, this.state.axis, run)(step);
  }

  /** Draws all charts again. */
  draw(): void {
    for (const name of CHARTS) this.#draw(name);
    this.#setRange();
  }

  /** A new axis starts with its whole range. */
  showAxis(axis: AxisName): void {
    this.state.axis = axis;
    this.#chosen = undefined;
    this.draw();
    this.#showChosen();
  }

  /** Takes new data in; the part that the reader chose stays. */
  update(): void {
    for (const name of CHARTS) {
      const before = this.#drawn.get(name);
      const { columns, lines } = this.#linesOf(name);
      const keyOf = (own: readonly LegendLine[]) =>
        JSON.stringify(own.map(({ run, metric }) => [run, metric]));
      if (!before || keyOf(before.lines) !== keyOf(lines)) {
        this.#draw(name);
        continue;
      }
      before.chart.setData(columns, false);
      this.#drawn.set(name, { chart: before.chart, lines });
      this.#showValues(name);
    }
    this.#setRange();
  }

  /** Fits the charts into the page. */
  resize(): void {
    for (const [name, { chart }] of this.#drawn) {
      chart.setSize({ width: element(`chart-${name}`).clientWidth, height: HEIGHTS[name] });
    }
  }

  /** Draws where the samples are. */
  showSamples(samples: SampleMarks): void {
    this.state.samples = samples;
    this.#drawn.get("loss")?.chart.redraw(false);
  }

  #draw(name: ChartName): void {
    const container = element(`chart-${name}`);
    this.#drawn.get(name)?.chart.destroy();
    this.#drawn.delete(name);
    const { columns, lines } = this.#linesOf(name);
    // Before there is anything to draw.
    const figure = container.parentElement as HTMLElement;
    figure.hidden = lines.length === 0;
    if (figure.hidden) return;
    const { runs, axis } = this.state;
    const isLoss = name === "loss";
    const chart = new uPlot(
      {
        width: container.clientWidth,
        height: HEIGHTS[name],
        scales: {
          x: { time: false },
          y: { range: (_, least, most) => this.#yRange(name, least, most) },
        },
        axes: [
          { ...axisStyle(), size: 40, label: axis, labelSize: 20 },
          { ...axisStyle(), size: 52, values: (_, ticks) => ticks.map(shortNumber) },
        ],
        legend: { show: false },
        cursor: {
          y: false,
          sync: {
            key: "charnn",
            setSeries: false,
            scales: ["x", null],
            // The chosen part is shown in all charts by `#choose`.
            filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
          },
          drag: { x: true, y: false, setScale: false },
          bind: {
            dblclick: () => () => {
              this.#choose(undefined);
              return null;
            },
          },
        },
        hooks: {
          setSelect: [(own) => this.#select(own)],
          setCursor: [(own) => this.#pointAt(name, own)],
          draw: isLoss
            ? [
                (own) =>
                  drawMarks(own, this.state.runs, this.placeOf.bind(this), this.state.samples),
              ]
            : [],
        },
        series: [{}, ...lines.map((line) => seriesOf(line, lines))],
      },
      columns,
      container,
    );
    this.#drawn.set(name, { chart, lines });
    showLegend(element(`legend-${name}`), name, runs, lines, null, undefined);
  }

  /** Places in order, and for each line its values there. */
  #linesOf(name: ChartName): { columns: uPlotClass.AlignedData; lines: LegendLine[] } {
    const { steps, lines } = this.state.data[name];
    const own = this.state.runs.map((_, run) => lines.filter((line) => line.run === run));
    const tables = own.map((ofRun, run) => {
      const placeAt = placesOf(this.state.data.axes, this.state.axis, run);
      const rows = steps
        .map((step, k) => ({ place: placeAt(step), values: ofRun.map(({ values }) => values[k]) }))
        .filter(({ values }) => values.some((value) => value !== null))
        // Rounding may have put two of them at one place.
        .filter(({ place }, k, all) => k === 0 || place > all[k - 1].place);
      return [
        rows.map(({ place }) => place),
        ...ofRun.map((_, line) => rows.map(({ values }) => values[line])),
      ] as uPlotClass.AlignedData;
    });
    const full = tables.filter(([places]) => places.length > 0);
    const columns = full.length > 0 ? uPlot.join(full) : ([[]] as uPlotClass.AlignedData);
    const [, ...values] = columns;
    return {
      columns,
      lines: own
        .flat()
        .map(({ run, metric }, k) => ({ run, metric, values: [...(values[k] ?? [])] })),
    };
  }

  /** The baselines are in view, no matter what the losses are. */
  #yRange(name: ChartName, least: number, most: number): uPlotClass.Range.MinMax {
    const losses =
      name === "loss" ? this.state.runs.flatMap(({ baseline }) => baseline?.loss ?? []) : [];
    const known = [least, most, ...losses].filter((it) => typeof it === "number");
    if (known.length === 0) return [0, 1];
    return uPlot.rangeNum(Math.min(...known), Math.max(...known), 0.1, true);
  }

  #select(chart: uPlotClass): void {
    const { left, width } = chart.select;
    if (width <= 0) return;
    const range = [chart.posToVal(left, "x"), chart.posToVal(left + width, "x")] as const;
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#choose(range);
  }

  #choose(range: readonly [number, number] | undefined): void {
    this.#chosen = range;
    this.#setRange();
    this.#showChosen();
  }

  #showChosen(): void {
    element<HTMLButtonElement>("show-all").disabled = this.#chosen === undefined;
  }

  /** All charts show the same part of the axis: the one that was chosen, or what any of them has. */
  #setRange(): void {
    const ends = [...this.#drawn.values()].flatMap(({ chart: { data } }) => {
      const [places] = data;
      return places.length > 0 ? [places[0], places[places.length - 1]] : [];
    });
    if (ends.length === 0) return;
    let [min, max] = this.#chosen ?? [Math.min(...ends), Math.max(...ends)];
    // Room for a ring at the last step.
    if (!this.#chosen) max += ROOM * (max - min);
    if (min === max) [min, max] = [min - 1, max + 1];
    for (const { chart } of this.#drawn.values()) chart.setScale("x", { min, max });
  }

  #pointAt(name: ChartName, chart: uPlotClass): void {
    this.#showValues(name);
    const { left = -1 } = chart.cursor;
    if (name === "loss") this.#onPlace(left < 0 ? undefined : chart.posToVal(left, "x"));
  }

  #showValues(name: ChartName): void {
    const drawn = this.#drawn.get(name);
    if (!drawn) return;
    const { left = -1, idx } = drawn.chart.cursor;
    const index = left < 0 ? null : (idx ?? null);
    const place = index === null ? undefined : drawn.chart.data[0][index];
    const text = place === undefined ? undefined : placeText(this.state.axis, place);
    const { runs } = this.state;
    showLegend(element(`legend-${name}`), name, runs, drawn.lines, index, text);
  }
}

/** The training loss is thin where the loss on held-out text is there too. */
function seriesOf({ run, metric }: LegendLine, all: readonly LegendLine[]): uPlotClass.Series {
  const isHeldOut = metric === "validation-loss";
  const isFaded =
    metric === "training-loss" &&
    all.some((other) => other.run === run && other.metric === "validation-loss");
  return {
    stroke: () => runColor(run),
    dash: runDash(run),
    width: isHeldOut ? 3 : 1.25,
    alpha: isFaded ? 0.5 : 1,
    spanGaps: true,
    points: { show: false },
  };
}

/** `150K` for 150,000. */
function shortNumber(value: number): string {
  return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 4 });
}

function axisStyle(): uPlotClass.Axis {
  return {
    stroke: () => colorOf("--text"),
    grid: { stroke: () => colorOf("--line"), width: 1 },
    ticks: { stroke: () => colorOf("--line"), width: 1 },
  };
}

/** A chart with the end that is new. */
export function extended(
  before: ChartData,
  { from, steps, lines }: ChartData & { from: number },
): ChartData {
  return {
    steps: [...before.steps.slice(0, from), ...steps],
    lines: lines.map(({ values, ...line }, k) => {
      return { ...line, values: [...(before.lines[k]?.values.slice(0, from) ?? []), ...values] };
    }),
  };
}
