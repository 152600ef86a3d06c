import { FLAG, TEXT } from "./kinds.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import { jsonOption } from "./shared.js";
import { TRAIN } from "./train.js";

/** Which model becomes a run. */
export interface ImportSettings {
  /** A safetensors file with the weights of a PyTorch model. */
  readonly weights: string;
  /** A file with the characters in the order of their indices. Default: those in the metadata of `weights`. */
  readonly vocabulary?: string | undefined;
  /** A file with a JSON object: what modules and tensors are called in `weights`, by charnn's names of them. */
  readonly map?: string | undefined;
  /** Of the run. Default: named after the file and the model. */
  readonly name?: string | undefined;
  /** Replaces the run of the same name. Default: false. */
  readonly overwrite?: boolean | undefined;
  /** The folder in which runs have theirs. Default: `checkpoints`. */
  readonly out?: string | undefined;
}

/** What can be typed. */
export interface ImportCommandSettings extends ImportSettings {
  readonly json?: boolean | undefined;
}

/** All options of `import`, in the order in which the help shows them. */
export const IMPORT = {
  weights: { kind: TEXT },
  vocabulary: {
    kind: TEXT,
    value: "<file>",
    help: "Read the model's characters, in the order of their indices, from this file of JSON or text",
    decidedBy: "from the metadata of the weights",
  },
  map: {
    kind: TEXT,
    value: "<file>",
    help: "Read the names of the model's modules in the file from this JSON object",
  },
  name: {
    kind: TEXT,
    value: "<name>",
    help: "Name the run",
    decidedBy: "after the file and the model",
  },
  overwrite: { kind: FLAG, help: TRAIN.overwrite.help },
  out: {
    kind: TEXT,
    value: TRAIN.out.value,
    help: TRAIN.out.help,
    default: TRAIN.out.default,
    variable: TRAIN.out.variable,
  },
  json: jsonOption("one object"),
} as const satisfies OptionsOf<ImportCommandSettings>;

export const IMPORT_DEFAULTS = defaultsOf(IMPORT);
