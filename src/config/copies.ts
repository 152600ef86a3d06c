import { FLAG, oneOf, TEXT, TEXTS, wholeNumber } from "./kinds.js";
import { NORMAL_FORM_NAMES, type NormalFormName } from "./names.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import { jsonOption, outOption, readingOptions, type TextSettings } from "./shared.js";

/** Where to look for copies. */
export interface CopiesSettings extends TextSettings {
  /** The file of the sample; `-` is standard input. */
  readonly sample: string;
  /** Files and folders of the training text, read as one. */
  readonly files: readonly string[];
  /** The normal form that both are brought into, as the model was trained with one. Default: none. */
  readonly normalize?: NormalFormName | undefined;
  /** Whether capital letters are read as small ones in both, as by a model that was trained so. Default: false. */
  readonly lowercase?: boolean | undefined;
  /** Shorter runs are no copies, in characters. Default: 20. */
  readonly atLeast?: number | undefined;
}

/** What can be typed. */
export interface CopiesCommandSettings extends CopiesSettings {
  readonly json?: boolean | undefined;
}

/** All options of `copies`, in the order in which the help shows them. */
export const COPIES = {
  sample: { kind: TEXT },
  files: { kind: TEXTS },
  atLeast: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "Find copies of n characters and more",
    default: 20,
  },
  normalize: {
    kind: oneOf(NORMAL_FORM_NAMES),
    value: "<form>",
    help: "Compare in this normal form of Unicode, for a model that was trained with it",
  },
  lowercase: {
    kind: FLAG,
    help: "Read capital letters as small ones, for a model that was trained with --lowercase",
  },
  ...readingOptions("the files"),
  // Of the library alone, as the command has no runs.
  out: { kind: outOption.kind, default: outOption.default },
  json: jsonOption("one object"),
} as const satisfies OptionsOf<CopiesCommandSettings>;

export const COPIES_DEFAULTS = defaultsOf(COPIES);
