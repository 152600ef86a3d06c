import { lastAtMost, numbersBelow } from "../arrays.js";
import type { Random } from "../random.js";
import type { Parts } from "../turns.js";

/** The sections of a row of windows, in the order in which they are read. */
export interface Sections {
  /** The first window of each, counted along the text. */
  readonly firstWindow: Uint32Array;
  /** How many windows are read before each; then that of all. */
  readonly readBefore: Uint32Array;
}

/** Cuts windows into as few sections of at most `most` as there can be, of about one length, and shuffles them. */
export function* orderSections(windows: number, most: number, random: Random): Parts<Sections> {
  const count = Math.ceil(windows / most);
  const order = numbersBelow(count);
  yield* random.shuffling(order);
  const begin = (section: number) => Math.floor((section * windows) / count);
  const firstWindow = order.map(begin);
  const readBefore = new Uint32Array(count + 1);
  for (const [place, section] of order.entries()) {
    readBefore[place + 1] = readBefore[place] + begin(section + 1) - begin(section);
  }
  return { firstWindow, readBefore };
}

/** The window that is read at `index`, from 0, and whether a section begins with it. */
export function windowAt(
  { firstWindow, readBefore }: Sections,
  index: number,
): { window: number; isFirst: boolean } {
  const place = lastAtMost(readBefore, index);
  const within = index - readBefore[place];
  return { window: firstWindow[place] + within, isFirst: within === 0 };
}
