import { TEXT, wholeNumber } from "./kinds.js";
import type { UnknownName } from "./names.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import { type BackendSettings, jsonOption, modelOptions, unknownOption } from "./shared.js";

/** What to predict. */
export interface NextSettings extends BackendSettings {
  /** The text that the character comes after. */
  readonly text: string;
  /** How many characters to name, the likeliest first. Default: 10. */
  readonly top?: number | undefined;
  /** How many of the last characters are left out in turn, to see what depends on them. Default: 40. */
  readonly depends?: number | undefined;
  /** What to do with characters that the model does not know. Default: `error`. */
  readonly unknown?: UnknownName | undefined;
  /** The folder in which runs have theirs. Default: `checkpoints`. */
  readonly out?: string | undefined;
}

/** What can be typed. */
export interface NextCommandSettings extends NextSettings {
  readonly json?: boolean | undefined;
}

/** Sequences that are read side by side at most. */
const MAX_LEFT_OUT = 1000;

/** All options of `next`, in the order in which the help shows them. */
export const NEXT = {
  text: { kind: TEXT },
  top: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "Show the n likeliest characters",
    default: 10,
  },
  depends: {
    kind: wholeNumber(0, MAX_LEFT_OUT),
    value: "<n>",
    help: "Leave out each of the last n characters in turn, and show which matter most",
    special: "0: none",
    default: 40,
  },
  unknown: unknownOption,
  ...modelOptions,
  json: jsonOption("one object"),
} as const satisfies OptionsOf<NextCommandSettings>;

export const NEXT_DEFAULTS = defaultsOf(NEXT);
