import type { Command } from "commander";
import { CharnnError } from "../../errors.js";
import { commandIn } from "./usage-error.js";

/**
 * Names by which other trainers of character models call the same thing, so that a pasted command
 * works: alias, then ours.
 */
const TRAIN_ALIASES: Readonly<Record<string, string>> = {
  model: "cell",
  "model-type": "cell",
  "rnn-size": "hidden-size",
  hidden: "hidden-size",
  "num-layers": "layers",
  "n-layers": "layers",
  "n-layer": "layers",
  "wordvec-size": "embedding-size",
  "num-unrollings": "seq-length",
  "chunk-len": "seq-length",
  "block-size": "seq-length",
  bptt: "seq-length",
  lr: "learning-rate",
  "grad-clip": "clip-norm",
  "max-grad-norm": "clip-norm",
  "gradient-accumulation-steps": "accumulate",
  "ema-decay": "average-decay",
  wdecay: "weight-decay",
  wdrop: "weight-dropout",
  "early-stopping-patience": "patience",
  "max-epochs": "epochs",
  "num-epochs": "epochs",
  "n-epochs": "epochs",
  "max-iters": "steps",
  "max-steps": "steps",
  "warmup-iters": "warmup-steps",
  "val-frac": "validation",
  "valid-frac": "validation",
  "validation-split": "validation",
  "test-frac": "test",
  "eval-interval": "eval-every",
  "eval-val-every": "eval-every",
  "checkpoint-every": "save-every",
  "checkpoint-dir": "out",
  "save-dir": "out",
  "out-dir": "out",
  "output-dir": "out",
  "work-dir": "out",
};

const SAMPLE_ALIASES: Readonly<Record<string, string>> = {
  prime: "seed",
  "prime-str": "seed",
  primetext: "seed",
  prompt: "seed",
  start: "seed",
  "start-text": "seed",
  prefix: "seed",
  temp: "temperature",
  "predict-len": "length",
  "max-new-tokens": "length",
  "n-predict": "length",
  "gen-length": "length",
  "max-gen-length": "length",
  "num-samples": "count",
};

const ALIASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  train: TRAIN_ALIASES,
  bench: TRAIN_ALIASES,
  sample: SAMPLE_ALIASES,
};

/**
 * What was typed, in charnn's own spelling: underscores become hyphens, other programs' names ours.
 *
 * @throws CharnnError `INVALID_SETTING` for a long option with one dash, which would be read as
 *   short ones
 */
export function normaliseArguments(args: readonly string[], program: Command): string[] {
  const command = commandIn(args, program);
  if (!command) return [...args];
  const spelled: string[] = [];
  let isValue = false;
  for (const [i, arg] of args.entries()) {
    if (arg === "--" && !isValue) return [...spelled, ...args.slice(i)];
    const own: string = isValue ? arg : ownSpelling(arg, command);
    spelled.push(own);
    isValue = !isValue && takesNextArgument(own, command);
  }
  return spelled;
}

function ownSpelling(arg: string, command: Command): string {
  const [, dashes, typed, value = ""] = /^(--?)([a-z][a-z_-]+)(=.*)?$/is.exec(arg) ?? [];
  if (typed === undefined) return arg;
  const aliases = ALIASES[command.name()] ?? {};
  const hyphened = typed.replaceAll("_", "-");
  const own = `--${Object.hasOwn(aliases, hyphened) ? aliases[hyphened] : hyphened}`;
  if (dashes === "--") return own + value;
  if (!command.options.some(({ long }) => long === own)) return arg;
  throw new CharnnError(
    "INVALID_SETTING",
    `${arg} has one dash, as options of a single letter have.`,
    `Long options take two: ${own}${value}`,
  );
}

function takesNextArgument(arg: string, command: Command): boolean {
  const option = command.options.find(({ short, long }) => arg === short || arg === long);
  return option?.required === true;
}
