/** Options that several commands have. */
import { ABOVE_ZERO_EACH, FLAG, oneOf, TEXT, wholeNumber } from "./kinds.js";
import {
  BACKEND_CHOICES,
  type BackendChoice,
  INVALID_NAMES,
  type InvalidName,
  MAX_THREADS,
  RUNS_FOLDER,
  UNKNOWN_NAMES,
  type UnknownName,
} from "./names.js";
import type { Option, OptionsOf } from "./option.js";

/** The backend and its threads. Results are the same for all but for rounding. */
export interface BackendSettings {
  /** Default: `auto`, the first that loads. */
  readonly backend?: BackendChoice | undefined;
  /** Default: one for each core that this process may use, fewer under a quota. */
  readonly threads?: number | undefined;
}

/** How files of text are read. */
export interface TextSettings {
  /** Of the files. Default: `utf-8`. */
  readonly encoding?: string | undefined;
  /** What to do with bytes that are wrong in that encoding. Default: `error`. */
  readonly invalid?: InvalidName | undefined;
  /** The folder of the runs; left out where it lies in a folder of texts. Default: `checkpoints`. */
  readonly out?: string | undefined;
}

/** Which model reads a text, and on which backend. */
export interface ModelTextSettings extends BackendSettings, TextSettings {
  /** What to do with characters that the model does not know. Default: `error`. */
  readonly unknown?: UnknownName | undefined;
}

export const outOption = {
  kind: TEXT,
  value: "<folder>",
  help: "Look for runs in this folder",
  default: RUNS_FOLDER,
  variable: "CHARNN_DIR",
} as const satisfies Option<string>;

export const backendOptions = {
  backend: {
    kind: oneOf(BACKEND_CHOICES),
    value: "<name>",
    help: "Use this backend (cpu means wasm)",
    default: "auto",
    variable: "CHARNN_BACKEND",
  },
  threads: {
    kind: wholeNumber(1, MAX_THREADS),
    value: "<n>",
    help: "Use this many threads",
    decidedBy: "one for each core",
    variable: "CHARNN_THREADS",
  },
} as const satisfies OptionsOf<BackendSettings>;

/** Where the runs are, and the backend for the model of one. */
export const modelOptions = { out: outOption, ...backendOptions };

/** @param what `the files` */
export function readingOptions(what: string) {
  return {
    encoding: {
      kind: TEXT,
      value: "<name>",
      help: `Decode ${what} from this encoding`,
      default: "utf-8",
    },
    invalid: {
      kind: oneOf(INVALID_NAMES),
      value: "<what>",
      help: "Stop at bytes that are invalid in that encoding, replace them or skip them",
      default: "error",
    },
  } as const satisfies OptionsOf<Pick<TextSettings, "encoding" | "invalid">>;
}

/** The same in every command that reads a text with a model. */
export const unknownOption = {
  kind: oneOf(UNKNOWN_NAMES),
  value: "<what>",
  help: "Stop at characters that the model does not know, skip them, or map them to similar ones",
  default: "error",
} as const satisfies Option<UnknownName>;

/** How much each of several models counts that predict together. */
export function mixOption<const Help extends string>(help: Help) {
  return { kind: ABOVE_ZERO_EACH, value: "<shares>", help } as const;
}

/** @param what `one object for each run` */
export function jsonOption(what: string) {
  return { kind: FLAG, help: `Print JSON on standard output: ${what}`, commandOnly: true } as const;
}
