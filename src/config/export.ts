import { FLAG, oneOf, TEXT, TEXTS, wholeNumber } from "./kinds.js";
import type { OptionsOf } from "./option.js";
import { jsonOption, outOption } from "./shared.js";

/** The formats in which a model can leave charnn. */
export const EXPORT_FORMATS = ["onnx", "html", "js"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** How a model is exported. */
export interface ExportSettings {
  /** The format of the file. */
  readonly to: ExportFormat;
  /** Of each weight: 8, 16 or 32. Default: 16 for a page and for a module. */
  readonly bits?: number | undefined;
  /** Files and folders of a text whose loss with fewer bits is compared. */
  readonly text?: readonly string[] | undefined;
}

/** What can be typed. */
export interface ExportCommandSettings extends ExportSettings {
  readonly output?: string | undefined;
  readonly overwrite?: boolean | undefined;
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
}

/** All options of `export`, in the order in which the help shows them. */
export const EXPORT = {
  to: {
    kind: oneOf(EXPORT_FORMATS),
    value: "<format>",
    help: "Write an ONNX model, a page to write in, or a JavaScript module",
  },
  output: {
    kind: TEXT,
    value: "<path>",
    short: "-o",
    help: "Write the model to this file; - is standard output",
    decidedBy: "the run's name, as RUN.onnx, RUN.html or RUN.js",
    commandOnly: true,
  },
  bits: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "Store weights in 8, 16 or 32 bits, with --to html or js; with 16, embeddings of n-grams have 8",
    decidedBy: "16",
  },
  text: {
    kind: TEXTS,
    value: "<file...>",
    help: "Say by how much fewer bits change the loss on this text",
  },
  overwrite: {
    kind: FLAG,
    help: "Replace a page, module or ONNX file that charnn did not make",
    commandOnly: true,
  },
  out: { ...outOption, commandOnly: true },
  json: jsonOption("one object"),
} as const satisfies OptionsOf<ExportCommandSettings>;
