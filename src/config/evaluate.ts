import { ABOVE_ZERO, FLAG, TEXTS } from "./kinds.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import {
  jsonOption,
  type ModelTextSettings,
  mixOption,
  modelOptions,
  readingOptions,
  unknownOption,
} from "./shared.js";

/** What to score a model on, and how. */
export interface EvaluateSettings extends ModelTextSettings {
  /** Files and folders; `-` is standard input. */
  readonly files: readonly string[];
  /** With several models: how much each counts, such as `[0.7, 0.3]`. Equally much when left out. */
  readonly mix?: number | readonly number[] | undefined;
  /** Whether each file is a text by itself; else all are one. Default: false. */
  readonly each?: boolean | undefined;
  /** Whether to score the text once more with weights that follow it. Default: false. */
  readonly dynamic?: boolean | undefined;
  /** Whether to score n-gram models and the system's compressors on the same text. Default: true. */
  readonly baselines?: boolean | undefined;
}

/** What can be typed. */
export interface EvaluateCommandSettings extends EvaluateSettings {
  readonly also?: readonly string[] | undefined;
  readonly failAbove?: number | undefined;
  readonly json?: boolean | undefined;
}

/** All options of `eval`, in the order in which the help shows them. */
export const EVALUATE = {
  files: { kind: TEXTS },
  also: {
    kind: TEXTS,
    value: "<run...>",
    help: "Score these runs too, in a row each",
    commandOnly: true,
  },
  mix: mixOption(
    "With --also: add a row for the runs together, each counting this much, such as 0.7,0.3",
  ),
  each: { kind: FLAG, help: "Score each file by itself, in a row each", default: false },
  unknown: unknownOption,
  dynamic: {
    kind: FLAG,
    help: "Score once more with weights that adapt to the text (much slower)",
    default: false,
  },
  baselines: {
    kind: FLAG,
    help: "Leave out the n-gram baseline and the compressors",
    default: true,
  },
  failAbove: {
    kind: ABOVE_ZERO,
    value: "<loss>",
    help: "End with exit code 1 if the loss is above this, in nats per character",
    commandOnly: true,
  },
  ...readingOptions("the files"),
  ...modelOptions,
  json: jsonOption("one object for each run and text"),
} as const satisfies OptionsOf<EvaluateCommandSettings>;

export const EVAL_DEFAULTS = defaultsOf(EVALUATE);
