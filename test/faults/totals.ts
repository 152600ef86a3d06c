/** Figures of campaigns that took several sittings, in a file with a line of JSON for each kind and part. */
import { appendFile, readFile } from "node:fs/promises";
import type { Tally } from "./campaign.js";

/** The results of a kind in one part of a campaign. */
export interface Figures {
  readonly kind: string;
  readonly tried: number;
  readonly survived: number;
  readonly seconds: number;
  readonly skipped: string | undefined;
  readonly failures: readonly string[];
  readonly seed: number;
  readonly long: boolean;
  /** Such as `2/4`. */
  readonly part: string;
}

export function figuresOf(
  { kind, tried, survived, seconds, skipped, failures }: Tally,
  setting: Pick<Figures, "seed" | "long" | "part">,
): Figures {
  return { kind, tried, survived, seconds, skipped, failures, ...setting };
}

/** Adds figures to those in a file, and returns their sums. A part that was tried again counts once. */
export async function addedTo(file: string, figures: readonly Figures[]): Promise<Figures[]> {
  await appendFile(file, figures.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  const parts = new Map<string, Figures>();
  for (const line of lines) {
    const one: Figures = JSON.parse(line);
    parts.set([one.kind, one.seed, one.long, one.part].join(), one);
  }
  const sums = new Map<string, Figures>();
  for (const one of parts.values()) {
    const before = sums.get(one.kind);
    sums.set(one.kind, before ? summed(before, one) : one);
  }
  return [...sums.values()];
}

function summed(a: Figures, b: Figures): Figures {
  return {
    ...b,
    tried: a.tried + b.tried,
    survived: a.survived + b.survived,
    seconds: a.seconds + b.seconds,
    failures: [...a.failures, ...b.failures],
  };
}

/** A table in Markdown. */
export function tableOf(figures: readonly Figures[]): string {
  const rows = figures.map(({ kind, tried, survived, seconds, skipped }) =>
    skipped === undefined
      ? `| ${kind} | ${tried} | ${survived} | ${durationOf(seconds)} |`
      : `| ${kind} | skipped | | ${skipped} |`,
  );
  return ["| kind | tried | survived | time |", "|---|---:|---:|---:|", ...rows].join("\n");
}

export function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
