import { parseArgs } from "node:util";

export const USAGE = `npm run test:faults -- [OPTIONS]

Kills charnn, makes its system calls fail, fills its disk, damages its files and more.
Prints how many cases of each kind were tried and survived.

  --list          lists the kinds
  --only KIND     only the kinds whose name has this in it; may be repeated
  --long          every case, which takes hours; else some of them, in minutes
  --part K/N      the K-th of N parts of each kind's cases, such as 2/4
  --seed N        chooses other random cases (default: 1)
  --totals FILE   adds the figures to those in FILE, and prints their sums
  --json          prints JSON in place of a table`;

export interface CampaignOptions {
  readonly help: boolean;
  readonly list: boolean;
  readonly long: boolean;
  readonly json: boolean;
  readonly seed: number;
  readonly only: readonly string[];
  readonly part: { readonly index: number; readonly of: number };
  readonly totals: string | undefined;
}

/** An option that does not exist, or has a value that makes no sense. */
export class UsageError extends Error {}

/** @throws UsageError */
export function readOptions(args: readonly string[]): CampaignOptions {
  const { seed, part, ...rest } = parsed(args);
  if (!/^\d{1,9}$/.test(seed)) throw new UsageError(`--seed ${seed} is not a whole number.`);
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(part)?.map(Number) ?? [];
  if (!(index >= 1 && index <= of)) {
    throw new UsageError(`--part ${part} is not a part of a whole, such as 1/4 or 4/4.`);
  }
  return { ...rest, seed: Number(seed), part: { index, of } };
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        long: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
        only: { type: "string", multiple: true, default: [] },
        part: { type: "string", default: "1/1" },
        totals: { type: "string" },
      },
    });
    return { ...values, totals: values.totals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
