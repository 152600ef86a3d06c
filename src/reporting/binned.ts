/** A curve's points: what is on the horizontal axis, and the value there. */
export type Point = readonly [x: number, y: number];

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
  if (points.length <= count) return points.map(([x, y]) => ({ x, y, least: y, most: y }));
  const [first] = points[0];
  const width = points[points.length - 1][0] - first;
  const bins: Bin[] = [];
  let start = 0;
  for (let bin = 0; bin < count; bin++) {
    const end = first + (width * (bin + 1)) / count;
    let [sumX, sumY, least, most] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let next = start;
    // The last bin has whatever is left, in spite of rounding.
    while (next < points.length && (points[next][0] < end || bin === count - 1)) {
      const [x, y] = points[next++];
      sumX += x;
      sumY += y;
      least = Math.min(least, y);
      most = Math.max(most, y);
    }
    const own = next - start;
    if (own > 0) bins.push({ x: sumX / own, y: sumY / own, least, most });
    start = next;
  }
  return bins;
}
