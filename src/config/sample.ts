import {
  AT_LEAST_ZERO_EACH,
  FILES,
  FLAG,
  FRACTION,
  PROBABILITY,
  REPEATED,
  TEXT,
  TEXTS,
  wholeNumber,
} from "./kinds.js";
import { MAX_TEXTS, type UnknownName } from "./names.js";
import { defaultsOf, inGroup, type OptionsOf } from "./option.js";
import {
  type BackendSettings,
  jsonOption,
  mixOption,
  modelOptions,
  readingOptions,
  type TextSettings,
  unknownOption,
} from "./shared.js";

/** What to write and how. */
export interface SampleSettings extends BackendSettings, TextSettings {
  /** The text to continue. */
  readonly seed?: string | undefined;
  /** What to do with characters of the seed that the model does not know. Default: `error`. */
  readonly unknown?: UnknownName | undefined;
  /** New characters of each text; -1: without end. Default: 500. */
  readonly length?: number | undefined;
  /**
   * 0 always takes the likeliest character. Several: one for each character of a word in turn, from its first on.
   * Default: 0.8.
   */
  readonly temperature?: number | readonly number[] | undefined;
  /** Chooses among this many of the likeliest characters; 0: all. Default: 0. */
  readonly topK?: number | undefined;
  /** Chooses among the likeliest characters that together have this probability. Default: 1. */
  readonly topP?: number | undefined;
  /** Chooses among characters that are at least this fraction as likely as the likeliest. Default: 0. */
  readonly minP?: number | undefined;
  /** Texts to write side by side. Default: 1. */
  readonly count?: number | undefined;
  /** Writes this many texts for each, and keeps the likeliest per character. Default: 1. */
  readonly bestOf?: number | undefined;
  /** A text is written anew until it contains each of these. */
  readonly include?: readonly string[] | undefined;
  /** A text is written anew until it is unlike those before it. Default: false. */
  readonly unique?: boolean | undefined;
  /** A text is written anew until it is no line of these files. */
  readonly new?: readonly string[] | undefined;
  /** A text ends when one of these has been written. */
  readonly stop?: readonly string[] | undefined;
  /** A text has this many lines, the one that the seed begins included. */
  readonly lines?: number | undefined;
  /** A text has this many sentences, the one that the seed begins included. */
  readonly sentences?: number | undefined;
  /** With several models: how much each counts, such as `[0.7, 0.3]`. Equally much when left out. */
  readonly mix?: number | readonly number[] | undefined;
  /** Only these characters are written: a set as between the brackets of a regular expression, `a-z .,`. */
  readonly allow?: string | undefined;
  /** None of these characters is written: such a set too. */
  readonly forbid?: string | undefined;
  /** Only words of these files and folders are written. */
  readonly words?: readonly string[] | undefined;
  /** The whole text matches this regular expression, the seed included; each line does, with `lines`. */
  readonly match?: string | undefined;
  /** This many characters in a row never occur twice in a text, the seed included. */
  readonly maxRepeat?: number | undefined;
  /** No longer passage of what is written, the seed included, may occur in the training text. */
  readonly maxCopy?: number | undefined;
  /** Files and folders of the training text, for `maxCopy`; a checkpoint does not contain it. */
  readonly trainingText?: readonly string[] | undefined;
  /** Default: 0. */
  readonly randomSeed?: number | undefined;
}

/** What can be typed. */
export interface SampleCommandSettings extends SampleSettings {
  readonly seedFile?: string | undefined;
  readonly greedy?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly separator?: string | undefined;
  readonly json?: boolean | undefined;
}

const TEXT_GROUP = "Text:";
const CHOICE_GROUP = "Choice of characters:";
const LIMIT_GROUP = "Limits on the text:";
const SELECTION_GROUP = "Several texts:";
const OTHER_GROUP = "Model and output:";

/** All options of `sample`, in the order in which the help shows them. */
export const SAMPLE = {
  seed: {
    kind: TEXT,
    value: "<text>",
    help: "Continue this text; --prompt is another name for it",
    group: TEXT_GROUP,
    isCommon: true,
    aliases: [
      "prompt",
      "prime",
      "prime-str",
      "primetext",
      "prime-text",
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
    group: TEXT_GROUP,
    isCommon: true,
    commandOnly: true,
  },
  unknown: {
    ...unknownOption,
    help: "Stop at characters of the seed that the model does not know, skip them, or map them to similar ones",
    group: TEXT_GROUP,
  },
  length: {
    kind: wholeNumber(-1),
    value: "<n>",
    short: "-n",
    help: "Write n characters at most",
    special: "-1: without end",
    default: 500,
    group: TEXT_GROUP,
    isCommon: true,
    aliases: ["predict-len", "max-new-tokens", "n-predict", "gen-length", "max-gen-length"],
  },
  lines: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "End a text after n lines",
    group: TEXT_GROUP,
    isCommon: true,
  },
  sentences: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "End a text after n sentences",
    group: TEXT_GROUP,
  },
  stop: {
    kind: REPEATED,
    value: "<text>",
    help: "End a text when this has been written (can be given several times)",
    group: TEXT_GROUP,
    isCommon: true,
  },
  temperature: {
    kind: AT_LEAST_ZERO_EACH,
    value: "<t>",
    short: "-t",
    help: "Sample at this temperature: lower is safer, higher is more varied",
    special: "0: always the likeliest; 1,0.5,0.2: by the place in a word",
    default: 0.8,
    group: CHOICE_GROUP,
    isCommon: true,
    aliases: ["temp"],
  },
  greedy: {
    kind: FLAG,
    help: "Always take the likeliest character, as --temperature 0 does",
    group: CHOICE_GROUP,
    commandOnly: true,
  },
  topK: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "Choose among the n likeliest characters",
    special: "0: all",
    default: 0,
    group: CHOICE_GROUP,
  },
  topP: {
    kind: PROBABILITY,
    value: "<p>",
    help: "Choose among the likeliest characters whose probabilities add up to this",
    default: 1,
    group: CHOICE_GROUP,
    isCommon: true,
  },
  minP: {
    kind: FRACTION,
    value: "<p>",
    help: "Choose among characters at least this fraction as likely as the likeliest",
    default: 0,
    group: CHOICE_GROUP,
    isCommon: true,
  },
  randomSeed: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "Seed the random numbers: the same seed gives the same text",
    decidedBy: "a new one each time",
    group: CHOICE_GROUP,
    isCommon: true,
  },
  mix: {
    ...mixOption("Let several runs count this much each, such as 0.7,0.3"),
    decidedBy: "equally much",
    group: CHOICE_GROUP,
  },
  allow: {
    kind: TEXT,
    value: "<set>",
    help: 'Write these characters only, such as "a-z .,"',
    group: LIMIT_GROUP,
  },
  forbid: {
    kind: TEXT,
    value: "<set>",
    help: 'Never write these characters, such as "0-9"',
    group: LIMIT_GROUP,
  },
  words: {
    kind: FILES,
    value: "<file...>",
    help: "Write only words of these files and folders",
    group: LIMIT_GROUP,
  },
  match: {
    kind: TEXT,
    value: "<regex>",
    help: "Write a text that matches this regular expression as a whole, or line by line with --lines",
    group: LIMIT_GROUP,
  },
  maxRepeat: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "Never repeat n characters in a row that the text already has",
    group: LIMIT_GROUP,
  },
  maxCopy: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "Copy no more than n characters in a row from the training text",
    group: LIMIT_GROUP,
  },
  trainingText: {
    kind: TEXTS,
    value: "<file...>",
    help: "Name the training text for --max-copy: files and folders",
    group: LIMIT_GROUP,
  },
  count: {
    kind: wholeNumber(1, MAX_TEXTS),
    value: "<n>",
    help: "Write n texts",
    default: 1,
    group: SELECTION_GROUP,
    isCommon: true,
    aliases: ["num-samples", "num-return-sequences"],
  },
  bestOf: {
    kind: wholeNumber(1, MAX_TEXTS),
    value: "<n>",
    help: "Write n texts for each and keep the likeliest per character",
    default: 1,
    group: SELECTION_GROUP,
    isCommon: true,
  },
  all: {
    kind: FLAG,
    help: "Print all texts of --best-of, the likeliest first, with their bits per character",
    group: SELECTION_GROUP,
    commandOnly: true,
  },
  separator: {
    kind: TEXT,
    value: "<line>",
    help: "Write this line between two texts",
    decidedBy: "an empty line, the mark of --documents, or nothing between lines",
    group: SELECTION_GROUP,
    commandOnly: true,
  },
  include: {
    kind: REPEATED,
    value: "<word>",
    help: "Write texts until one contains this (can be given several times)",
    group: SELECTION_GROUP,
  },
  unique: {
    kind: FLAG,
    help: "Write no text twice",
    group: SELECTION_GROUP,
  },
  new: {
    kind: FILES,
    value: "<file...>",
    help: "Write no text that is a line of these files",
    group: SELECTION_GROUP,
  },
  ...inGroup(OTHER_GROUP, {
    ...readingOptions("the files that are read"),
    ...modelOptions,
    json: { ...jsonOption("one object for each text"), isCommon: true },
  }),
} as const satisfies OptionsOf<SampleCommandSettings>;

export const SAMPLE_DEFAULTS = defaultsOf(SAMPLE);
