/** A part of things that are counted from 0, in their order. */
export interface Share {
  readonly begin: number;
  /** The first one after it. */
  readonly end: number;
}

/** What falls to one of `size` ranks: as much as to the others, or one less or more. */
export function shareOf(count: number, rank: number, size: number): Share {
  return { begin: Math.floor((count * rank) / size), end: Math.floor((count * (rank + 1)) / size) };
}

/** What falls to each of `size` ranks. */
export function sharesOf(count: number, size: number): Share[] {
  return Array.from({ length: size }, (_, rank) => shareOf(count, rank, size));
}
