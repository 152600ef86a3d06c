import type { Point } from "../runs/thinned.js";

/** Points of a curve that lie close together, as one. */
export interface Bin {
  /** The means of the points. */
  readonly x: number;
  readonly y: number;
  /** The least and the most of their values. */
  readonly least: number;
  readonly most: number;
}

/**
 * A curve of many points as one of at most `count`: its width is cut into that many equal parts, and each that
 * has points becomes one point. If there are no more points than that, they stay as they are.
 *
 * @param points in order, all numbers finite
 */
export function binned(points: readonly Point[], count: number): Bin[] {
  if (points.length <= count) return points.map(binOf);
  const first = points[0][0];
  const width = points[points.length - 1][0] - first;
  let part = 0;
  return merged(points, (x) => {
    // Because of rounding, the last point may lie beyond the last part, which still takes it.
    while (part < count - 1 && x >= first + (width * (part + 1)) / count) part++;
    return part;
  });
}

/** By how much parts of {@link steadilyBinned} grow. */
const GROWTH = 1.25;

/**
 * As {@link binned}, for a curve that grows: its parts stay as they are until it is about a quarter longer, so
 * that only what was added to it is new.
 *
 * @param points in order, all numbers finite
 */
export function steadilyBinned(points: readonly Point[], most: number): Bin[] {
  if (points.length <= most) return points.map(binOf);
  const first = points[0][0];
  const least = (points[points.length - 1][0] - first) / (most - 1);
  const width = least > 0 ? GROWTH ** Math.ceil(Math.log(least) / Math.log(GROWTH)) : 1;
  return merged(points, (x) => Math.min(Math.floor((x - first) / width), most - 1));
}

/** Merges points that follow each other and lie in one part. */
function merged(points: readonly Point[], partOf: (x: number) => number): Bin[] {
  const bins: Bin[] = [];
  for (let next = 0; next < points.length; ) {
    const part = partOf(points[next][0]);
    let [own, sumX, sumY] = [0, 0, 0];
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (; next < points.length && partOf(points[next][0]) === part; next++) {
      const { x, y, ...range } = binOf(points[next]);
      const count = points[next][2]?.count ?? 1;
      own += count;
      sumX += x * count;
      sumY += y * count;
      least = Math.min(least, range.least);
      most = Math.max(most, range.most);
    }
    bins.push({ x: sumX / own, y: sumY / own, least, most });
  }
  return bins;
}

function binOf([x, y, of]: Point): Bin {
  return { x, y, least: of?.least ?? y, most: of?.most ?? y };
}
