import { fstatSync, readlinkSync, statSync } from "node:fs";
import { quoted } from "../../shell-words.js";
import type { TrainOptions } from "./train.js";

/**
 * What becomes of each option when a run goes on: the checkpoint keeps it, it has to be given again, or
 * it belongs to the beginning of a run alone. Every option of `train` has its line.
 */
const ON_RESUME: Readonly<Record<keyof TrainOptions, "kept" | "again" | "beginning">> = {
  accumulate: "kept",
  averageDecay: "kept",
  backend: "again",
  batching: "kept",
  batchSize: "kept",
  cell: "kept",
  clipNorm: "kept",
  clipValue: "kept",
  crossValidate: "again",
  documents: "kept",
  dropout: "kept",
  embeddingSize: "kept",
  encoding: "again",
  epochs: "kept",
  evalCharacters: "kept",
  evalEvery: "kept",
  hiddenSize: "kept",
  initFrom: "kept",
  inputDropout: "kept",
  invalid: "again",
  json: "again",
  keep: "again",
  layers: "kept",
  learningRate: "kept",
  lineEnds: "kept",
  maxTime: "kept",
  name: "again",
  optimizer: "kept",
  out: "again",
  overwrite: "beginning",
  patience: "kept",
  preset: "kept",
  quiet: "again",
  randomSeed: "kept",
  recurrentDropout: "kept",
  replan: "kept",
  resume: "beginning",
  saveEvery: "again",
  schedule: "kept",
  seqLength: "kept",
  minCount: "kept",
  split: "kept",
  steps: "kept",
  stride: "kept",
  targetLoss: "kept",
  tensorboard: "again",
  test: "kept",
  threads: "again",
  validation: "kept",
  validationFile: "again",
  warmupSteps: "kept",
  weightDecay: "kept",
  weightDropout: "kept",
};

/** What goes on with a run. */
export interface ResumeCommand {
  /** To be pasted into a shell. */
  readonly command: string;
  /** What else is needed, where a file that can be read again is not all of the text. */
  readonly needs: string | undefined;
}

/**
 * What to type to go on with a run, or with the cross-validation that it is a fold of, whose other folds
 * have no checkpoints yet and need every option again.
 *
 * @param name of the run
 */
export function resumeCommand(
  name: string,
  files: readonly string[],
  options: TrainOptions,
): ResumeCommand {
  const isFold = options.crossValidate !== undefined;
  const again: TrainOptions = {
    ...options,
    name: isFold ? (options.name ?? name.replace(/-fold-\d+$/, "")) : name,
  };
  const words = ["charnn", "train"];
  const texts = files.map(textToGive);
  for (const { word } of texts) words.push(quoted(word));
  for (const [option, value] of Object.entries(again)) {
    const kind = ON_RESUME[option as keyof TrainOptions];
    if (kind === "again" || (kind === "kept" && isFold)) words.push(...typed(option, value));
  }
  words.push("--resume");
  const redirected = files.includes("-") ? fileOnStdin() : undefined;
  if (redirected !== undefined) words.push("<", quoted(redirected));
  const once = texts.find(({ isReadOnce }) => isReadOnce)?.word;
  const needs =
    once === undefined || redirected !== undefined
      ? undefined
      : `It needs the same text again, ${once === "-" ? "on standard input" : `from ${once}`}.`;
  return { command: words.join(" "), needs };
}

/** An option as it is typed. */
function typed(option: string, value: TrainOptions[keyof TrainOptions]): string[] {
  const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (value === undefined || value === false) return [];
  if (value === true) return [flag];
  const word = Array.isArray(value)
    ? value.map(({ step, steps }) => `${step}:${steps}`).join(",")
    : String(value);
  return word.startsWith("-") ? [quoted(`${flag}=${word}`)] : [flag, quoted(word)];
}

/** A text as it is given again, and whether it has to be made once more. */
function textToGive(file: string): { word: string; isReadOnce: boolean } {
  // What `<(...)` stands for is gone; the standard input is there in each shell.
  if (/^\/(dev|proc\/self)\/fd\/\d+$/.test(file)) return { word: "-", isReadOnce: true };
  if (file === "-") return { word: file, isReadOnce: true };
  // A dash first is an option, but for a path.
  return { word: file.startsWith("-") ? `./${file}` : file, isReadOnce: isPipe(file) };
}

function isPipe(file: string): boolean {
  try {
    const stats = statSync(file);
    return !stats.isFile() && !stats.isDirectory();
  } catch {
    return false;
  }
}

/** The file that `< FILE` gave this process as its standard input, where the system tells it. */
function fileOnStdin(): string | undefined {
  try {
    const given = fstatSync(0);
    if (!given.isFile()) return undefined;
    const path = readlinkSync("/proc/self/fd/0");
    // It is another path where the file was removed since, or has a name that is not UTF-8.
    const named = statSync(path);
    return named.dev === given.dev && named.ino === given.ino ? path : undefined;
  } catch {
    return undefined;
  }
}
