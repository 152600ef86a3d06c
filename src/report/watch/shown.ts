import { isDeepStrictEqual } from "node:util";
import { chartsOf, runsData } from "../charts.js";
import type {
  ChartChange,
  ChartData,
  ChartLine,
  Charts,
  ListChange,
  RunData,
  Update,
} from "../page/script/data.js";
import { evaluationRows } from "../page/sections/curves.js";
import { resultOf } from "../page/sections/result.js";
import { sampleItems } from "../page/sections/samples.js";
import type { ReportedRun } from "../reported-run.js";

/** What an open page shows of a run, except what changes only when the page is loaded again. */
export interface Shown {
  readonly runs: readonly RunData[];
  readonly charts: Charts;
  readonly result: string;
  readonly evaluations: readonly string[];
  readonly samples: readonly string[];
  readonly status: string;
  readonly progress: string;
  readonly edition: number;
}

/** What is new of all that is shown. */
type Whole = Required<Update> & { readonly charts: Record<keyof Charts, ChartChange> };

/** @param run undefined before it has reported anything */
export function shownOf(
  run: ReportedRun | undefined,
  state: Pick<Shown, "status" | "progress" | "edition">,
): Shown {
  const runs = run ? [run] : [];
  const metrics = runs.map((own) => own.metrics);
  return {
    runs: runsData(runs),
    charts: chartsOf(runs),
    result: resultOf(runs).text,
    evaluations: evaluationRows(metrics).map(({ text }) => text),
    samples: sampleItems(metrics).map(({ text }) => text),
    ...state,
  };
}

/** An update with everything, for a page in any state. */
export function wholeOf({ charts, evaluations, samples, ...rest }: Shown): Whole {
  return {
    ...rest,
    charts: {
      loss: { from: 0, ...charts.loss },
      rate: { from: 0, ...charts.rate },
      speed: { from: 0, ...charts.speed },
      norm: { from: 0, ...charts.norm },
      axes: { from: 0, ...charts.axes },
    },
    evaluations: { from: 0, items: evaluations },
    samples: { from: 0, items: samples },
  };
}

/** An update for pages that show `before`; undefined where nothing has changed. */
export function changeOf(before: Shown, now: Shown): Update | undefined {
  const charts = definedOf({
    loss: chartChange(before.charts.loss, now.charts.loss),
    rate: chartChange(before.charts.rate, now.charts.rate),
    speed: chartChange(before.charts.speed, now.charts.speed),
    norm: chartChange(before.charts.norm, now.charts.norm),
    axes: chartChange(before.charts.axes, now.charts.axes),
  });
  return definedOf({
    runs: isDeepStrictEqual(before.runs, now.runs) ? undefined : now.runs,
    charts,
    result: changed(before.result, now.result),
    evaluations: listChange(before.evaluations, now.evaluations),
    samples: listChange(before.samples, now.samples),
    status: changed(before.status, now.status),
    progress: changed(before.progress, now.progress),
    edition: changed(before.edition, now.edition),
  });
}

function changed<Value>(before: Value, now: Value): Value | undefined {
  return before === now ? undefined : now;
}

/** The values that are defined; undefined where none is. */
function definedOf<Values extends object>(values: Values): Partial<Values> | undefined {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined);
  return defined.length > 0 ? (Object.fromEntries(defined) as Partial<Values>) : undefined;
}

function listChange(before: readonly string[], now: readonly string[]): ListChange | undefined {
  const from = sameUpTo(before.length, now.length, (k) => before[k] === now[k]);
  return from === undefined ? undefined : { from, items: now.slice(from) };
}

/** Where other curves are shown than before, the whole chart is new. */
function chartChange(before: ChartData, now: ChartData): ChartChange | undefined {
  const areSameCurves =
    before.lines.length === now.lines.length &&
    before.lines.every((line, k) => isSameLine(line, now.lines[k]));
  const isSame = (k: number) =>
    before.steps[k] === now.steps[k] &&
    before.lines.every(({ values }, line) => values[k] === now.lines[line].values[k]);
  const from = areSameCurves ? sameUpTo(before.steps.length, now.steps.length, isSame) : 0;
  if (from === undefined) return undefined;
  return {
    from,
    steps: now.steps.slice(from),
    lines: now.lines.map(({ values, ...line }) => ({ ...line, values: values.slice(from) })),
  };
}

function isSameLine(a: ChartLine, b: ChartLine): boolean {
  return a.run === b.run && a.metric === b.metric;
}

/** How many items of two lists are the same from their beginning on; undefined where all are. */
function sameUpTo(
  before: number,
  now: number,
  isSame: (index: number) => boolean,
): number | undefined {
  let same = 0;
  while (same < Math.min(before, now) && isSame(same)) same++;
  return same === before && same === now ? undefined : same;
}
