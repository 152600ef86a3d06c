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
  /** Chooses among the likeliest characters that have this probability together. Default: 1. */
  readonly topP?: number | undefined;
  /** Texts to write side by side. Default: 1. */
  readonly count?: number | undefined;
  /** A text ends when this has been written. */
  readonly stop?: string | undefined;
  /** No longer run of what is written, the seed included, is to be found in the training text. */
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
    help: "go on from this text",
    aliases: ["prime", "prime-str", "primetext", "prompt", "start", "start-text", "prefix"],
  },
  seedFile: {
    kind: TEXT,
    value: "<file>",
    help: "go on from the text of a file; - is standard input",
    commandOnly: true,
  },
  length: {
    kind: wholeNumber(-1),
    value: "<n>",
    short: "-n",
    help: "new characters; -1 is without end",
    default: 500,
    aliases: ["predict-len", "max-new-tokens", "n-predict", "gen-length", "max-gen-length"],
  },
  temperature: {
    kind: AT_LEAST_ZERO,
    value: "<t>",
    short: "-t",
    help: "below 1 plays safe, above 1 takes risks, 0 always takes the likeliest",
    default: 0.8,
    aliases: ["temp"],
  },
  greedy: { kind: FLAG, help: "the same as --temperature 0", commandOnly: true },
  topK: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "choose among the n likeliest; 0 is all",
    default: 0,
  },
  topP: {
    kind: PROBABILITY,
    value: "<share>",
    help: "choose among the likeliest that have this probability together",
    default: 1,
  },
  count: {
    kind: wholeNumber(1, MAX_TEXTS),
    value: "<n>",
    help: "texts to write",
    default: 1,
    aliases: ["num-samples"],
  },
  stop: { kind: TEXT, value: "<text>", help: "end when this has been written" },
  maxCopy: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "write no longer run that the training text has too",
  },
  trainingText: { kind: TEXTS, value: "<file...>", help: "for --max-copy: files and folders" },
  ...readingOptions("of the seed file and the training text"),
  randomSeed: { kind: wholeNumber(0), value: "<n>", help: "same seed, same text", default: 0 },
  ...modelOptions,
  json: jsonOption("one object for each text"),
} as const satisfies OptionsOf<SampleCommandSettings>;

export const SAMPLE_DEFAULTS = defaultsOf(SAMPLE);
