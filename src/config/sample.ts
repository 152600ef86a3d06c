import { AT_LEAST_ZERO, FLAG, PROBABILITY, TEXT, TEXTS, wholeNumber } from "./kinds.js";
import { MAX_TEXTS } from "./names.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import {
  type BackendSettings,
  jsonOption,
  modelOptions,
  readingOptions,
  type TextSettings,
} from "./shared.js";

/** What to write and how. */
export interface SampleSettings extends BackendSettings, TextSettings {
  /** The text to go on from. */
  readonly seed?: string | undefined;
  /** New characters of each text; -1: without end. Default: 500. */
  readonly length?: number | undefined;
  /** 0 always takes the likeliest character. Default: 0.8. */
  readonly temperature?: number | undefined;
  /** Chooses among this many of the likeliest characters; 0: all. Default: 0. */
  readonly topK?: number | undefined;
  /** Chooses among the likeliest characters that together have this probability. Default: 1. */
  readonly topP?: number | undefined;
  /** Texts to write side by side. Default: 1. */
  readonly count?: number | undefined;
  /** A text ends when this has been written. */
  readonly stop?: string | undefined;
  /** No longer passage of what is written, the seed included, may occur in the training text. */
  readonly maxCopy?: number | undefined;
  /** Files and folders of the training text, for `maxCopy`; a checkpoint does not hold it. */
  readonly trainingText?: readonly string[] | undefined;
  /** Default: 0. */
  readonly randomSeed?: number | undefined;
}

/** What can be typed. */
export interface SampleCommandSettings extends SampleSettings {
  readonly seedFile?: string | undefined;
  readonly greedy?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** All options of `sample`, in the order in which the help shows them. */
export const SAMPLE = {
  seed: {
    kind: TEXT,
    value: "<text>",
    help: "Continue this text",
    aliases: [
      "prime",
      "prime-str",
      "primetext",
      "prime-text",
      "prompt",
      "start",
      "start-text",
      "prefix",
    ],
  },
  seedFile: {
    kind: TEXT,
    value: "<file>",
    help: "Continue the text of a file",
    special: "-: standard input",
    commandOnly: true,
  },
  length: {
    kind: wholeNumber(-1),
    value: "<n>",
    short: "-n",
    help: "Write n characters",
    special: "-1: without end",
    default: 500,
    aliases: ["predict-len", "max-new-tokens", "n-predict", "gen-length", "max-gen-length"],
  },
  temperature: {
    kind: AT_LEAST_ZERO,
    value: "<t>",
    short: "-t",
    help: "Sample at this temperature: lower is safer, higher is more varied",
    special: "0: always the likeliest",
    default: 0.8,
    aliases: ["temp"],
  },
  greedy: {
    kind: FLAG,
    help: "Always take the likeliest character, as --temperature 0 does",
    commandOnly: true,
  },
  topK: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "Choose among the n likeliest characters",
    special: "0: all",
    default: 0,
  },
  topP: {
    kind: PROBABILITY,
    value: "<p>",
    help: "Choose among the likeliest characters whose probabilities add up to this",
    default: 1,
  },
  count: {
    kind: wholeNumber(1, MAX_TEXTS),
    value: "<n>",
    help: "Write n texts",
    default: 1,
    aliases: ["num-samples", "num-return-sequences"],
  },
  stop: { kind: TEXT, value: "<text>", help: "End a text when this has been written" },
  maxCopy: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "Copy no more than n characters in a row from the training text",
  },
  trainingText: {
    kind: TEXTS,
    value: "<file...>",
    help: "Name the training text for --max-copy: files and folders",
  },
  ...readingOptions("the seed file and the training text"),
  randomSeed: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "Seed the random numbers: the same seed gives the same text",
    default: 0,
  },
  ...modelOptions,
  json: jsonOption("one object for each text"),
} as const satisfies OptionsOf<SampleCommandSettings>;

export const SAMPLE_DEFAULTS = defaultsOf(SAMPLE);
