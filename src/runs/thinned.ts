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

/** Items of a list that grows: all of them as long as they are few, and later evenly spread ones. */
export class ThinnedList<Item> {
  #kept: Item[] = [];
  #last: Item | undefined;
  #every = 1;
  #added = 0;

  /** @param most at least half of these are kept, and twice these at most */
  constructor(readonly most: number) {}

  add(item: Item): void {
    if (this.#added++ % this.#every === 0) this.#kept.push(item);
    this.#last = item;
    if (this.#kept.length < 2 * this.most) return;
    this.#kept = this.#kept.filter((_, k) => k % 2 === 0);
    this.#every *= 2;
  }

  /** In order; the last one that was added is always there. */
  get items(): Item[] {
    const isKept = this.#last === undefined || this.#kept.at(-1) === this.#last;
    return isKept ? [...this.#kept] : [...this.#kept, this.#last as Item];
  }
}

/** A curve that grows: all of its points as long as they are few, and later each stands for several. */
export class ThinnedCurve {
  #groups: Group[] = [];
  #each = 1;

  /** @param most at least half of these points are kept, and twice these at most */
  constructor(readonly most: number) {}

  add(x: number, y: number): void {
    const last = this.#groups.at(-1);
    if (last && last.count < this.#each) {
      addTo(last, groupOf(x, y));
      return;
    }
    if (this.#groups.length === 2 * this.most) {
      this.#groups = this.#groups.filter((group, k) => {
        if (k % 2 === 0) addTo(group, this.#groups[k + 1]);
        return k % 2 === 0;
      });
      this.#each *= 2;
      this.add(x, y);
      return;
    }
    this.#groups.push(groupOf(x, y));
  }

  get points(): Point[] {
    return this.#groups.map(({ count, sumX, sumY, least, leastAt, most, lastX, lastY }): Point => {
      if (count === 1) return [sumX, sumY];
      return [sumX / count, sumY / count, { count, least, leastAt, most, last: [lastX, lastY] }];
    });
  }
}

/** Points that lie one after the other. */
interface Group {
  count: number;
  sumX: number;
  sumY: number;
  least: number;
  leastAt: number;
  most: number;
  lastX: number;
  lastY: number;
}

function groupOf(x: number, y: number): Group {
  return { count: 1, sumX: x, sumY: y, least: y, leastAt: x, most: y, lastX: x, lastY: y };
}

function addTo(group: Group, next: Group): void {
  group.count += next.count;
  group.sumX += next.sumX;
  group.sumY += next.sumY;
  if (next.least < group.least) {
    group.least = next.least;
    group.leastAt = next.leastAt;
  }
  group.most = Math.max(group.most, next.most);
  group.lastX = next.lastX;
  group.lastY = next.lastY;
}
