/**
 * Trains what is in `trials.txt` and keeps how each of them did in `trials.jsonl`. Losses do not depend on the
 * machine, so several may run beside each other, each on one thread; what a loss costs in time is measured apart, by
 * `npm run bench`. `rule.ts` reads them.
 *
 *     npm run bench:quality -- [--only REGEX] [--parallel 2] [--texts bench/quality/texts]
 *         [--trials bench/quality/trials.txt] [--results bench/quality/trials.jsonl]
 *
 * A line of `trials.txt` is a text, a preset, the millions of characters that each model learns from, the number of
 * models, a random seed, and options of `charnn train`. Those that have a result are left out. Of several models that
 * predict together, the losses of the first, the first two and so on are kept, so that one trial says what each number
 * of them reaches.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import type { PresetName } from "#src/config/names.js";
import { TRAIN_DEFAULTS } from "#src/config/train.js";
import { documentBatchShape } from "#src/data/batch-shape.js";
import { PRESETS } from "#src/planning/presets.js";
import { CHARNN } from "../commands.js";
import { wholeLosses } from "./held-out.js";
import {
  addResult,
  FOLDER,
  nameOf,
  type Result,
  readResults,
  readTrials,
  type Trial,
} from "./trial-files.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "." },
    parallel: { type: "string", default: "2" },
    texts: { type: "string", default: path.join(FOLDER, "texts") },
    trials: { type: "string" },
    results: { type: "string" },
  },
});

const done = new Set(readResults(options.results).map(nameOf));
const only = new RegExp(options.only);
const trials = readTrials(options.trials).filter((trial) => {
  const name = nameOf(trial);
  return only.test(name) && !done.has(name);
});

/** Ends what is still running when a trial fails. */
const ended = new AbortController();
const folder = mkdtempSync(path.join(tmpdir(), "charnn-quality-"));
try {
  const next = trials.entries();
  const worker = async () => {
    for (const [index, trial] of next) {
      const result = await run(trial, path.join(folder, String(index)));
      addResult(result, options.results);
      const { losses, bestAt, worseAtEnd, trainingLoss } = result;
      const end = `best after ${Math.round(100 * bestAt)} %, ${worseAtEnd} worse at the end`;
      console.log(`${nameOf(trial)}: ${losses.join(", ")}; training ${trainingLoss}; ${end}`);
    }
  };
  await Promise.all(Array.from({ length: Number(options.parallel) }, worker));
} finally {
  ended.abort();
  rmSync(folder, { recursive: true });
}

async function run(trial: Trial, out: string): Promise<Result> {
  const { text, preset, millions, members, seed } = trial;
  const file = path.resolve(options.texts, `${text}.txt`);
  const given = trial.options.split(" ").filter(Boolean);
  const optionOr = <Default>(option: string, fallback: Default) => {
    const place = given.indexOf(option);
    return place < 0 ? fallback : Number(given[place + 1]);
  };
  const perStep = given.includes("lines")
    ? charactersOfLines(file, preset, optionOr("--batch-size", undefined))
    : optionOr("--batch-size", PRESETS[preset].batchSize) *
      optionOr("--seq-length", TRAIN_DEFAULTS.seqLength);
  const steps = Math.round((1e6 * millions) / perStep);
  const args = [
    "train",
    file,
    "--preset",
    preset,
    "--steps",
    `${steps}`,
    "--members",
    `${members}`,
  ];
  args.push("--random-seed", `${seed}`, "--threads", "1", "--out", out, "--name", "run", "--json");
  const child = spawn(process.execPath, [CHARNN, ...args, ...given], {
    stdio: ["ignore", "pipe", "inherit"],
    signal: ended.signal,
  });
  // Of a trial that was ended.
  child.on("error", () => {});
  const losses: number[] = [];
  let [step, bestStep, trainingLoss] = [0, 0, Number.NaN];
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line);
    if (event.event === "eval") losses.push(event.validationLoss);
    if (event.event === "end") ({ step, bestStep, loss: trainingLoss } = event);
  }
  if (step < steps) throw new Error(`${nameOf(trial)} did not end.`);
  const checkpoint = await readCheckpoint(path.join(out, "run/best.safetensors"));
  const { training, model, text: facts } = checkpoint.config;
  const whole = await wholeLosses(file, checkpoint);
  rmSync(out, { recursive: true });
  return {
    ...trial,
    characters: facts.trainCharacters,
    vocabularySize: model.vocabularySize,
    losses: whole.map(rounded),
    bestAt: rounded(bestStep / steps),
    worseAtEnd: rounded((losses.at(-1) ?? Number.NaN) - Math.min(...losses)),
    trainingLoss: rounded(trainingLoss),
    dropout: training.dropout,
    ngramDropout: training.ngramDropout ?? 0,
  };
}

/** Characters of a step of a list, of which each row of a batch reads a line. */
function charactersOfLines(file: string, preset: PresetName, asked: number | undefined): number {
  const text = readFileSync(file, "utf8");
  const lines = text.trimEnd().split("\n").length;
  const defaults = { ...TRAIN_DEFAULTS, ...PRESETS[preset] };
  const { batchSize, seqLength } = documentBatchShape(
    text.length,
    lines,
    { batchSize: asked },
    defaults,
  );
  return batchSize * Math.min(text.length / lines, seqLength);
}

function rounded(value: number): number {
  return Number(value.toFixed(4));
}
