import { FLAG, oneOf, TEXT } from "./kinds.js";
import type { OptionsOf } from "./option.js";
import { jsonOption, outOption } from "./shared.js";

/** The formats in which a model can leave charnn. */
export const EXPORT_FORMATS = ["onnx"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** How a model is exported. */
export interface ExportSettings {
  /** The format of the file. */
  readonly to: ExportFormat;
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
    help: "Export the model in this format: onnx",
  },
  output: {
    kind: TEXT,
    value: "<path>",
    short: "-o",
    help: "Write the model to this file",
    decidedBy: "RUN.onnx",
    commandOnly: true,
  },
  overwrite: { kind: FLAG, help: "Replace whatever file is there", commandOnly: true },
  out: { ...outOption, commandOnly: true },
  json: jsonOption("one object"),
} as const satisfies OptionsOf<ExportCommandSettings>;
