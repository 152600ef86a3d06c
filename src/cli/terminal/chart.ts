import { type Marks, UNICODE_MARKS } from "./marks.js";

/** A position that a line goes through. */
type Point = [x: number, y: number];

/** A line of a chart. */
export interface ChartLine {
  readonly symbol: string;
  /** In order of x, all numbers finite; at least one. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** What stands beside the labels and the lines: an axis on the left, an arrow on the right. */
const FRAME = 3;
/** Columns and rows from one label to the next, at least. */
const COLUMNS_PER_LABEL = 10;
const ROWS_PER_LABEL = 2;

/**
 * Draws lines into one frame, each with its own symbol, so that they can be told apart without colours.
 *
 * @param width of the whole, in characters: nothing is wider
 * @param height of the lines' own part
 */
export function chart(
  lines: readonly ChartLine[],
  width: number,
  height: number,
  { axes }: Marks = UNICODE_MARKS,
): string[] {
  const points = lines.flatMap((line) => line.points);
  const [left, right] = extent(points.map(({ x }) => x));
  const yTicks = niceTicks(
    ...extent(points.map(({ y }) => y)),
    Math.floor(height / ROWS_PER_LABEL),
  );
  const [bottom, top] = extent([...points.map(({ y }) => y), ...yTicks]);
  const label = labeller(yTicks);
  const margin = Math.max(...yTicks.map((tick) => label(tick).length));
  const inner = width - FRAME - margin;
  const columnOf = (x: number) => Math.round(((inner - 1) * (x - left)) / (right - left));
  const rowOf = (y: number) => Math.round(((height - 1) * (top - y)) / (top - bottom));

  const rows = Array.from({ length: height }, () => Array<string>(inner).fill(" "));
  for (const line of lines) {
    for (const [x, y] of onColumns(line.points, left, right, inner)) {
      rows[rowOf(y)][columnOf(x)] = line.symbol;
    }
  }
  const labels = new Map(yTicks.map((tick) => [rowOf(tick), label(tick)]));
  const drawn = rows.map((row, k) => {
    const own = labels.get(k);
    return `${(own ?? "").padStart(margin)}${own === undefined ? axes.vertical : axes.labelledRow}${row.join("")}`;
  });

  const horizontal = Array<string>(inner).fill(axes.horizontal);
  const below = Array<string>(inner + margin + 1).fill(" ");
  for (const tick of niceTicks(left, right, Math.floor(inner / COLUMNS_PER_LABEL))) {
    const text = shortened(tick);
    horizontal[columnOf(tick)] = axes.labelledColumn;
    const start = margin + 1 + columnOf(tick) + 1 - text.length;
    for (const [k, character] of [...text].entries()) below[start + k] = character;
  }
  const indent = " ".repeat(margin);
  return [
    `${indent}${axes.top}`,
    ...drawn,
    `${indent}${axes.corner}${horizontal.join("")}${axes.right}`,
    below.join(""),
  ].map((row) => row.trimEnd());
}

/** The least and the most; slightly further apart where they are the same. */
function extent(values: readonly number[]): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least < most) return [least, most];
  const above = least + Math.abs(least) / 10;
  return [least, above > least ? above : least + 0.1];
}

/** Round numbers from about `from` to about `to`, at most `count` and at least two. */
function niceTicks(from: number, to: number, count: number): number[] {
  const rough = (to - from) / Math.max(count - 1, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  // Counted in whole steps, so that rounding errors don't add up.
  for (let k = Math.ceil(from / step); k * step <= to; k++) ticks.push(k * step);
  return ticks.length > 1 ? ticks : [from, to];
}

/** The labels of ticks, with as many decimals as tell them apart. */
function labeller(ticks: readonly number[]): (value: number) => string {
  const most = Math.max(...ticks.map(Math.abs));
  const step = Math.min(...ticks.slice(1).map((tick, k) => tick - ticks[k]));
  if (most >= 1e4) return shortened;
  if (most < 1e-3) return (value) => value.toExponential(1);
  const decimals = Math.min(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), 6);
  return (value) => value.toFixed(decimals);
}

/** `1.5k`, `20k`, `3M` */
function shortened(value: number): string {
  const rounded = (divided: number) => String(Number(divided.toPrecision(3)));
  if (Math.abs(value) >= 1e6) return `${rounded(value / 1e6)}M`;
  return Math.abs(value) >= 1e3 ? `${rounded(value / 1e3)}k` : rounded(value);
}

/** The heights of a line at each of the columns that it spans, straight between its points. */
function onColumns(
  points: ChartLine["points"],
  left: number,
  right: number,
  columns: number,
): Point[] {
  const heights: Point[] = [];
  let next = 0;
  for (let column = 0; column < columns; column++) {
    const x = left + ((right - left) * column) / (columns - 1);
    while (next < points.length && points[next].x < x) next++;
    const [before, after] = [points[next - 1], points[next]];
    if (before && after) {
      const fraction = (x - before.x) / (after.x - before.x);
      heights.push([x, before.y + fraction * (after.y - before.y)]);
    } else if (after && after.x === x) {
      heights.push([x, after.y]);
    }
  }
  // A line shorter than a column is a point.
  return heights.length > 0 ? heights : points.slice(0, 1).map(({ x, y }): Point => [x, y]);
}

/** The last of some numbers as a curve in one line of at most `width` characters. */
export function sparkline(
  values: readonly number[],
  width: number,
  { levels }: Marks = UNICODE_MARKS,
): string {
  const shown = values.slice(-width);
  const least = Math.min(...shown);
  const most = Math.max(...shown);
  return shown
    .map((value) => {
      const fraction = most > least ? (value - least) / (most - least) : 0;
      return levels[Math.round(fraction * (levels.length - 1))];
    })
    .join("");
}
