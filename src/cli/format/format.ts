/** Numbers and times as people read them. */

import { formatCount } from "../../text.js";
import { printableLine } from "./printable.js";

/** `step 10 of 200`; `step 10` where nobody knows how many there will be. */
export function stepOf(step: number, total: number | undefined): string {
  return total === undefined
    ? `step ${formatCount(step)}`
    : `step ${formatCount(step)} of ${formatCount(total)}`;
}

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`; after a month the date */
export function timeAgo(date: Date, now = new Date()): string {
  const minutes = Math.floor((now.getTime() - date.getTime()) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  if (days > 30) return date.toISOString().slice(0, 10);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** `10%`; less than one percent is said more exactly. */
export function wholePercent(fraction: number): string {
  const percent = 100 * fraction;
  return `${percent < 1 ? percent.toPrecision(1) : Math.round(percent)}%`;
}

/** `150 MB` */
export function bytes(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} GB`;
  if (value >= 1e6) return `${Math.round(value / 1e6)} MB`;
  return `${Math.max(1, Math.round(value / 1e3))} kB`;
}

/**
 * Rows as columns of equal width; the last is not padded, and broken between words to fit `width`. What a
 * terminal would not show is written out, so that widths match what is seen.
 */
export function columns(
  cells: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const rows = cells.map((row) => row.map(printableLine));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.flatMap((row) => {
    const start = row.slice(0, -1).map((cell, i) => `${cell.padEnd(widths[i])}  `);
    const [first, ...rest] = brokenLines(row.at(-1) ?? "", width - start.join("").length);
    const indent = " ".repeat(start.join("").length);
    return [`${start.join("")}${first}`.trimEnd(), ...rest.map((line) => indent + line)];
  });
}

/** A text broken between words into lines that fit `width`, where its words do. */
export function brokenLines(text: string, width: number): string[] {
  const [first, ...words] = text.split(" ");
  const broken = [first];
  for (const word of words) {
    const longer = `${broken.at(-1)} ${word}`;
    if (longer.length <= width) broken[broken.length - 1] = longer;
    else broken.push(word);
  }
  return broken;
}
