/** What to type in place of a word that charnn does not have. */
import type { Command } from "commander";
import { meant } from "../../similar.js";

const OTHER_COMMANDS: Readonly<Record<string, string>> = {
  evaluate: "eval",
  gen: "sample",
  generate: "sample",
  write: "sample",
  compare: "runs diff",
  delete: "runs rm",
  diff: "runs diff",
  list: "runs",
  ls: "runs",
  mv: "runs mv",
  prune: "runs prune",
  remove: "runs rm",
  rename: "runs mv",
  rm: "runs rm",
};

const FILES = "Name the files or folders themselves: charnn train book.txt";
const RUN = "Name the run itself: charnn sample night";
const BACKEND = "charnn doctor shows what the model can run on, and --backend chooses.";
const SCHEDULE = "--schedule chooses how the learning rate falls.";
const FRACTIONS =
  "--validation and --test take the fractions to hold out; the rest is for training.";
const RUN_NAME = "--name names the run, and --out the folder that runs are in.";

/** By command: options of other programs that mean something else here, or nothing, and what there is instead. */
const OTHER_OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  train: {
    "checkpoint-name": RUN_NAME,
    cuda: BACKEND,
    "data-dir": FILES,
    "data-file": FILES,
    dataset: FILES,
    "decay-lr": SCHEDULE,
    "decay-rate": SCHEDULE,
    device: BACKEND,
    gpu: BACKEND,
    gpuid: BACKEND,
    input: FILES,
    "input-file": FILES,
    "input-keep-prob": "--input-dropout takes the fraction to drop: 1 minus this.",
    "input-txt": FILES,
    "learning-rate-decay": SCHEDULE,
    "lr-decay-factor": SCHEDULE,
    "lr-decay-iters": SCHEDULE,
    "min-lr": SCHEDULE,
    opencl: BACKEND,
    "output-keep-prob": "--dropout takes the fraction to drop: 1 minus this.",
    savefile: RUN_NAME,
    seed: "The seed of the random numbers is --random-seed.",
    "train-file": FILES,
    "train-frac": FRACTIONS,
    "train-size": FRACTIONS,
  },
  sample: {
    checkpoint: RUN,
    cuda: BACKEND,
    device: BACKEND,
    gpu: BACKEND,
    gpuid: BACKEND,
    "init-dir": RUN,
    "init-from": RUN,
    model: RUN,
    "model-path": RUN,
    opencl: BACKEND,
    "out-dir": RUN,
    sample: "--temperature 0 always takes the likeliest character.",
    "save-dir": RUN,
  },
};

/** What asks for the version of a program, which no command has. */
const VERSION_OPTIONS: ReadonlySet<string> = new Set(["--version", "-V", "-v"]);

/**
 * @param typed a word in the place of a command's name
 * @param within the command whose own commands are meant: `runs`
 */
export function commandInstead(
  typed: string,
  parent: Command,
  within?: string,
): string | undefined {
  const names = parent.commands.map((command) => command.name());
  const nearest = meant(typed, names);
  const other = OTHER_COMMANDS[typed];
  const isOther = other !== undefined && (within === undefined || other.startsWith(within));
  const name = isOther ? other : nearest && [within, nearest].filter(Boolean).join(" ");
  return name && `Did you mean charnn ${name}?`;
}

/** @param typed as `--max_epoch` or `--max_epoch=5` */
export function optionInstead(typed: string, command: Command): string | undefined {
  if (VERSION_OPTIONS.has(typed)) return "charnn --version prints the version.";
  const word = typed.replace(/^-+|=.*$/gs, "").replaceAll("_", "-");
  const other = OTHER_OPTIONS[command.name()]?.[word];
  if (other !== undefined) return other;
  const names = command.options.map(({ long }) => `${long}`.replace(/^--/, ""));
  const name = meant(word, names);
  return name && `Did you mean --${name}?`;
}
