const LEVELS = "▁▂▃▄▅▆▇█";

/** The last of some numbers as a curve in one line of at most `width` characters. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const least = Math.min(...shown);
  const most = Math.max(...shown);
  return shown
    .map((value) => {
      const fraction = most > least ? (value - least) / (most - least) : 0;
      return LEVELS[Math.round(fraction * (LEVELS.length - 1))];
    })
    .join("");
}
