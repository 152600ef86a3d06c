/** A curve's point: what is on the horizontal axis, and the value there; or the means of several points. */
export type Point = readonly [x: number, y: number, of?: Merged];

/** Of which points a point is the mean. */
interface Merged {
  readonly count: number;
  /** The least of their values, and where it is. */
  readonly least: number;
  readonly leastAt: number;
  readonly most: number;
  readonly last: readonly [x: number, y: number];
}

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
 * A curve of many points as one of at most `count`: its width is cut into so many equal parts, and each
 * that has points becomes one. No more points than that stay as they are.
 *
 * @param points in order, all numbers finite
 */
export function binned(points: readonly Point[], count: number): Bin[] {
  if (points.length <= count) return points.map(binOf);
  const [first] = points[0];
  const width = points[points.length - 1][0] - first;
  const bins: Bin[] = [];
  let next = 0;
  for (let bin = 0; bin < count; bin++) {
    const end = first + (width * (bin + 1)) / count;
    let [own, sumX, sumY] = [0, 0, 0];
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    // The last bin has whatever is left, in spite of rounding.
    while (next < points.length && (points[next][0] < end || bin === count - 1)) {
      const point = points[next++];
      const { x, y, ...range } = binOf(point);
      const count = point[2]?.count ?? 1;
      own += count;
      sumX += x * count;
      sumY += y * count;
      least = Math.min(least, range.least);
      most = Math.max(most, range.most);
    }
    if (own > 0) bins.push({ x: sumX / own, y: sumY / own, least, most });
  }
  return bins;
}

function binOf([x, y, of]: Point): Bin {
  return { x, y, least: of?.least ?? y, most: of?.most ?? y };
}
