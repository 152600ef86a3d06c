import type { Marks } from "./marks.js";

/** A bar of this many characters, a fraction of which is done. */
export function bar(fraction: number, length: number, { bar: [done, left] }: Marks): string {
  const full = Math.round(Math.min(Math.max(fraction, 0), 1) * length);
  return done.repeat(full) + left.repeat(length - full);
}

/** `start`, followed by as many facts as fit into a line shorter than `width`. */
export function withFacts(start: string, facts: readonly string[], width: number): string {
  let line = start;
  for (const [k, fact] of facts.entries()) {
    const longer = `${line}${k === 0 ? "" : ", "}${fact}`;
    if (longer.length >= width) break;
    line = longer;
  }
  return line.slice(0, Math.max(width - 1, 0));
}
