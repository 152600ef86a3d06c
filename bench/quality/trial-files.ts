/** The trials of `search.ts`, and what they reached: `trials.txt` and `trials.jsonl`. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PRESET_NAMES, type PresetName } from "#src/config/names.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const FOLDER = path.join(ROOT, "bench/quality");

/** A run to be tried, but for its text's place. */
export interface Trial {
  /** Of a file in the folder of texts, without `.txt`. */
  readonly text: string;
  readonly preset: PresetName;
  /** Millions of characters that each model learns from. */
  readonly millions: number;
  readonly members: number;
  readonly seed: number;
  /** Other options of `charnn train`, separated by spaces. */
  readonly options: string;
}

/** What a trial reached. Losses are of the whole held-out part, nats/character. */
export interface Result extends Trial {
  /** Characters to learn from, and different ones. */
  readonly characters: number;
  readonly vocabularySize: number;
  /** The loss of the best checkpoint's first model, of the first two together, and so on. */
  readonly losses: readonly number[];
  /** The part of the run after which its best checkpoint was written. */
  readonly bestAt: number;
  /** How much worse its last evaluation was than its best. */
  readonly worseAtEnd: number;
  readonly trainingLoss: number;
  readonly dropout: number;
  readonly ngramDropout: number;
}

/** @throws Error for a line that is no trial */
export function readTrials(file = path.join(FOLDER, "trials.txt")): Trial[] {
  return linesOf(file).map((line) => {
    const [text, preset, millions, members, seed, ...options] = line.split(/\s+/);
    const trial = { text, preset: preset as PresetName, options: options.join(" ") };
    const numbers = { millions: Number(millions), members: Number(members), seed: Number(seed) };
    const isTrial =
      Object.values(numbers).every(Number.isFinite) && PRESET_NAMES.includes(trial.preset);
    if (!isTrial) throw new Error(`No trial: ${line}`);
    return { ...trial, ...numbers };
  });
}

export function readResults(file = path.join(FOLDER, "trials.jsonl")): Result[] {
  return existsSync(file) ? linesOf(file).map((line) => JSON.parse(line)) : [];
}

export function addResult(result: Result, file = path.join(FOLDER, "trials.jsonl")): void {
  appendFileSync(file, `${JSON.stringify(result)}\n`);
}

/** What tells trials apart. */
export function nameOf({ text, preset, millions, members, seed, options }: Trial): string {
  const models = members === 1 ? "" : ` ${members} models`;
  return `${text} ${preset} ${millions} M${models} seed ${seed} ${options}`.trim();
}

/** Lines that say something. */
function linesOf(file: string): string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}
