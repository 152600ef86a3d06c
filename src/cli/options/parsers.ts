import { InvalidArgumentError } from "commander";

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** What is typed, as a number: `12`, `0.5`, `4e-3`. */
export function number(text: string): number {
  if (!isNumber(text)) throw new InvalidArgumentError("must be a number, such as 12 or 4e-3");
  return Number(text);
}

function isNumber(text: string): boolean {
  return DECIMAL.test(text.trim()) && Number.isFinite(Number(text));
}

/** What is typed, as one number or several: `0.8`, `1,0.5,0.2`. */
export function numbers(text: string): number | number[] {
  const several = text.split(",");
  if (!several.every(isNumber)) {
    throw new InvalidArgumentError("must be a number, or several such as 1,0.5,0.2");
  }
  return several.length === 1 ? Number(text) : several.map(Number);
}

const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, min: 60, h: 3600 };

/** What is typed, as seconds: `90s`, `10m`, `2h`; a bare number is seconds. */
export function seconds(text: string): number {
  const [, amount, unit] = /^([\d.]+(?:e[+-]?\d+)?)\s*(s|m|min|h|)$/i.exec(text.trim()) ?? [];
  const value = Number(amount);
  if (amount === undefined || !(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError("must be a time above 0, such as 90s, 10m or 2h");
  }
  return value * SECONDS[unit.toLowerCase()];
}

/** What is typed, as changes of the number of steps: `120:3500,900:3300` makes it 3,500 at step 120 ... */
export function stepChanges(text: string): { step: number; steps: number }[] {
  return text.split(",").map((change) => {
    const [, step, steps] = /^(\d+):(\d+)$/.exec(change.trim()) ?? [];
    if (steps === undefined) {
      throw new InvalidArgumentError("must be a step and a number of steps, such as 120:3500");
    }
    return { step: Number(step), steps: Number(steps) };
  });
}

/** One of a few words, in capitals or not. */
export function word(text: string, words: readonly string[]): string {
  const lower = text.toLowerCase();
  if (words.includes(lower)) return lower;
  const others = words.slice(0, -1).join(", ");
  throw new InvalidArgumentError(`must be ${others ? `${others} or ` : ""}${words.at(-1)}`);
}
