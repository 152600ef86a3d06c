import type { Command, Option } from "commander";
import { CharnnError } from "../../errors.js";

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

/** An option as it was given. */
export interface GivenOption {
  /** Its name, spelled in one way: `max-epochs` for `--max_epochs`. */
  readonly word: string;
  /** As it was given, for messages: `--max_epochs 5`. */
  readonly shown: string;
  readonly option: Option;
  /** Undefined for one that takes none. */
  readonly value: string | undefined;
}

/** A word of a command line, or an option with its value. */
export interface Token {
  /** As commander is to read it, in charnn's own spelling. */
  readonly words: readonly string[];
  /** Undefined for operands, and for what the command does not know. */
  readonly given?: GivenOption;
}

/**
 * What was typed after the name of a command, in charnn's own spelling: underscores become hyphens, other
 * programs' names ours.
 *
 * @throws CharnnError `INVALID_SETTING` for a long option with one dash, which would be read as
 *   short ones
 */
export function tokensOf(args: readonly string[], command: Command): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") return [...tokens, { words: args.slice(i) }];
    const found = optionIn(arg, command);
    if (!found) {
      tokens.push({ words: [arg] });
      continue;
    }
    const { option, word, own, inline } = found;
    const takesNext = option.required && inline === undefined && i + 1 < args.length;
    const value = takesNext ? args[++i] : inline;
    const shown = takesNext ? `${arg} ${value}` : arg;
    const given = value === undefined ? undefined : fromFile(word, value, command);
    const words = takesNext ? [own, value as string] : [own];
    tokens.push({
      words: given ? [`${given.long}=${value?.slice(FROM_FILE.length)}`] : words,
      given: { word, shown, option: given ?? option, value },
    });
  }
  return tokens;
}

/** The option that a name means, whoever's name it is. */
export function optionNamed(name: string, command: Command): Option | undefined {
  const aliases = ALIASES[command.name()] ?? {};
  const own = Object.hasOwn(aliases, name) ? aliases[name] : name;
  return command.options.find(({ long }) => long === `--${own}`);
}

/** `hidden-size` for `hidden_size` and `hiddenSize`. */
export function hyphened(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-");
}

interface FoundOption {
  readonly option: Option;
  readonly word: string;
  /** In charnn's spelling, with its value where that is in the same word. */
  readonly own: string;
  readonly inline: string | undefined;
}

function optionIn(arg: string, command: Command): FoundOption | undefined {
  const short = command.options.find((option) => option.short === arg.slice(0, 2));
  const [, dashes, typed, value] = /^(--?)([a-z][a-z_-]+)(?:=(.*))?$/is.exec(arg) ?? [];
  const word = typed?.replaceAll("_", "-");
  const long = word === undefined ? undefined : optionNamed(word, command);
  if (dashes === "-" && long) {
    throw new CharnnError(
      "INVALID_SETTING",
      `${arg} has one dash, as options of a single letter have.`,
      `Long options take two: ${long.long}${value === undefined ? "" : `=${value}`}`,
    );
  }
  if (dashes === "--" && word !== undefined && long) {
    const own = value === undefined ? `${long.long}` : `${long.long}=${value}`;
    return { option: long, word, own, inline: value };
  }
  if (!short || arg.startsWith("--")) return undefined;
  const rest = short.required && arg.length > 2 ? arg.slice(2) : undefined;
  return { option: short, word: short.name(), own: arg, inline: rest };
}

const FROM_FILE = "FILE:";
const FILE_PROMPTS: ReadonlySet<string> = new Set(["start", "prompt"]);

/** The option that reads a file, for a value by which nanoGPT reads one: `--start=FILE:prompt.txt`. */
function fromFile(word: string, value: string, command: Command): Option | undefined {
  if (!FILE_PROMPTS.has(word) || !value.startsWith(FROM_FILE)) return undefined;
  return command.options.find(({ long }) => long === "--seed-file");
}
