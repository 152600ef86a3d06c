import type { Metrics } from "../../runs/metrics-collector.js";
import { chartsOf } from "../curves.js";
import { evaluationRows, figures, sampleItems } from "../page/page.js";
import type { ChartChange, ChartData, Charts, ListChange, Update } from "../page/script/data.js";
import { figuresOf } from "../report.js";

/** What an open page shows of a run, apart from what only another edition of it changes. */
export interface Shown {
  readonly charts: Charts;
  readonly figures: string;
  readonly evaluations: readonly string[];
  readonly samples: readonly string[];
  readonly status: string;
  readonly edition: number;
}

/** What is new of all that is shown. */
type Whole = Required<Update> & { readonly charts: Record<keyof Charts, ChartChange> };

/** @param metrics undefined before the run has reported anything */
export function shownOf(
  metrics: Metrics | undefined,
  { status, edition }: Pick<Shown, "status" | "edition">,
): Shown {
  const runs = metrics ? [metrics] : [];
  return {
    charts: chartsOf(runs),
    figures: figures({ figures: figuresOf(runs) }).text,
    evaluations: evaluationRows(runs).map(({ text }) => text),
    samples: sampleItems(runs).map(({ text }) => text),
    status,
    edition,
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
  });
  return definedOf({
    charts,
    figures: changed(before.figures, now.figures),
    evaluations: listChange(before.evaluations, now.evaluations),
    samples: listChange(before.samples, now.samples),
    status: changed(before.status, now.status),
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
    before.lines.every(({ name }, k) => name === now.lines[k].name);
  const isSame = (k: number) =>
    before.steps[k] === now.steps[k] &&
    before.lines.every(({ values }, line) => values[k] === now.lines[line].values[k]);
  const from = areSameCurves ? sameUpTo(before.steps.length, now.steps.length, isSame) : 0;
  if (from === undefined) return undefined;
  return {
    from,
    steps: now.steps.slice(from),
    lines: now.lines.map(({ name, values }) => ({ name, values: values.slice(from) })),
  };
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
