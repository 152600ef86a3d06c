/**
 * Trains what is in `trials.txt` and keeps how each of them did: validation loss against characters
 * learned from. Losses do not depend on the machine, so several may run beside each other, each on one
 * thread; what a loss costs in time is measured apart, by `npm run bench`.
 *
 *     npm run bench:quality -- [--only REGEX] [--parallel 2] [--results bench/quality/results.jsonl]
 *
 * A line of `trials.txt` is a name, a text, the millions of characters to learn from, and options of
 * `charnn train`. Those whose name is in the results already are left out.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EXECUTABLE = path.join(ROOT, "bin/charnn.js");

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "." },
    parallel: { type: "string", default: "2" },
    trials: { type: "string", default: path.join(ROOT, "bench/quality/trials.txt") },
    results: { type: "string", default: path.join(ROOT, "bench/quality/results.jsonl") },
  },
});

interface Trial {
  readonly name: string;
  readonly text: string;
  readonly characters: number;
  readonly settings: readonly string[];
}

interface Result {
  readonly name: string;
  readonly options: string;
  readonly parameters: number;
  readonly bestLoss: number;
  readonly finalLoss: number;
  readonly trainingLoss: number;
  /** Millions of characters, and the validation loss after them. */
  readonly curve: readonly (readonly [characters: number, loss: number])[];
}

const done = existsSync(options.results)
  ? new Set(linesOf(options.results).map((line): string => JSON.parse(line).name))
  : new Set<string>();
const trials = linesOf(options.trials)
  .map(trialOf)
  .filter(({ name }) => new RegExp(options.only).test(name) && !done.has(name));

const folder = mkdtempSync(path.join(tmpdir(), "charnn-quality-"));
try {
  const next = trials[Symbol.iterator]();
  const worker = async () => {
    for (const trial of next) {
      const result = await run(trial);
      appendFileSync(options.results, `${JSON.stringify(result)}\n`);
      const { name, bestLoss, finalLoss, trainingLoss } = result;
      const losses = [bestLoss, finalLoss, trainingLoss].map((loss) => loss.toFixed(4));
      console.log(`${name}: best ${losses[0]}, last ${losses[1]}, training ${losses[2]}`);
    }
  };
  await Promise.all(Array.from({ length: Number(options.parallel) }, worker));
} finally {
  rmSync(folder, { recursive: true });
}

function rounded(value: number): number {
  return Number(value.toFixed(4));
}

/** Lines that say something. */
function linesOf(file: string): string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

function trialOf(line: string): Trial {
  const [name, text, millions, ...settings] = line.split(/\s+/);
  return { name, text, characters: 1e6 * Number(millions), settings };
}

async function run({ name, text, characters, settings }: Trial): Promise<Result> {
  const value = (option: string, fallback: number) => {
    const place = settings.indexOf(option);
    return place < 0 ? fallback : Number(settings[place + 1]);
  };
  const perStep = value("--batch-size", 32) * value("--seq-length", 64);
  const steps = Math.round(characters / perStep);
  const args = ["train", path.resolve(ROOT, text), ...settings, "--batch-size"];
  args.push(String(value("--batch-size", 32)), "--steps", String(steps), "--threads", "1");
  args.push("--eval-every", String(Math.ceil(steps / 12)), "--out", folder, "--name", name);
  const child = spawn(process.execPath, [EXECUTABLE, ...args, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const curve: [number, number][] = [];
  let [parameters, bestLoss, trainingLoss] = [0, Number.NaN, Number.NaN];
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line);
    if (event.event === "start") parameters = event.parameters;
    if (event.event === "eval") {
      curve.push([rounded((event.step * perStep) / 1e6), rounded(event.validationLoss)]);
    }
    if (event.event === "end") {
      [bestLoss, trainingLoss] = [event.bestLoss, event.loss].map(rounded);
    }
  }
  const finalLoss = curve.at(-1)?.[1] ?? Number.NaN;
  const all = [text, `${characters / 1e6}M`, ...settings].join(" ");
  return { name, options: all, parameters, bestLoss, finalLoss, trainingLoss, curve };
}
