import { FLAG, TEXTS } from "./kinds.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import {
  jsonOption,
  type ModelTextSettings,
  mixOption,
  modelOptions,
  readingOptions,
  unknownOption,
} from "./shared.js";

/** Which texts to score, character by character, and how. */
export interface ScoreSettings extends ModelTextSettings {
  /** Files and folders; `-` is standard input. Each file is a text by itself. */
  readonly files: readonly string[];
  /**
   * The models score the texts together, and each counts this much, such as `[0.7, 0.3]`. Each by itself when left
   * out.
   */
  readonly mix?: number | readonly number[] | undefined;
  /** Whether each line is read from its beginning, without those before it. Default: false. */
  readonly fresh?: boolean | undefined;
}

/** What can be typed. */
export interface ScoreCommandSettings extends ScoreSettings {
  readonly also?: readonly string[] | undefined;
  readonly labels?: boolean | undefined;
  readonly lines?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** All options of `score`, in the order in which the help shows them. */
export const SCORE = {
  files: { kind: TEXTS },
  lines: {
    kind: FLAG,
    help: "Print one figure for each line, not each character",
    commandOnly: true,
  },
  also: {
    kind: TEXTS,
    value: "<run...>",
    help: "Compare with these runs: find which run fits each text or line best",
    commandOnly: true,
  },
  mix: mixOption(
    "With --also: let the runs predict together, each counting this much, such as 0.7,0.3",
  ),
  labels: {
    kind: FLAG,
    help: "With --also: report accuracy, taking the name of each text's folder as the right run",
    commandOnly: true,
  },
  fresh: {
    kind: FLAG,
    help: "Score each line by itself, without the lines before it as context",
    default: false,
  },
  unknown: unknownOption,
  ...readingOptions("the files"),
  ...modelOptions,
  json: jsonOption("one object for each line; with --also for each text or line"),
} as const satisfies OptionsOf<ScoreCommandSettings>;

export const SCORE_DEFAULTS = defaultsOf(SCORE);
