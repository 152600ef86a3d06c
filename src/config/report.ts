import { FLAG, TEXT, TEXTS, wholeNumber } from "./kinds.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import {
  jsonOption,
  type ModelTextSettings,
  modelOptions,
  readingOptions,
  unknownOption,
} from "./shared.js";

/** What a report is about. */
export interface ReportSettings extends ModelTextSettings {
  /** Names or folders of runs. Default: the newest that has reported a step. */
  readonly runs?: readonly string[] | undefined;
  /** Files and folders of a text to look at with the first run's model. */
  readonly text?: readonly string[] | undefined;
}

/** What can be typed. */
export interface ReportCommandSettings extends ReportSettings {
  readonly output?: string | undefined;
  readonly overwrite?: boolean | undefined;
  readonly open?: boolean | undefined;
  readonly watch?: boolean | undefined;
  readonly port?: number | undefined;
  readonly json?: boolean | undefined;
}

/** All options of `report`, in the order in which the help shows them. */
export const REPORT = {
  runs: { kind: TEXTS },
  output: {
    kind: TEXT,
    value: "<page>",
    short: "-o",
    help: "Write the page to this file; - is standard output",
    decidedBy: "RUN-report.html",
    commandOnly: true,
  },
  overwrite: { kind: FLAG, help: "Replace a page that charnn did not make", commandOnly: true },
  open: { kind: FLAG, help: "Open the page in the browser", commandOnly: true },
  text: {
    kind: TEXTS,
    value: "<file...>",
    help: "Show how the first run's model reads this text, character by character",
  },
  unknown: unknownOption,
  ...readingOptions("the text"),
  watch: {
    kind: FLAG,
    help: "Serve the page on this machine and follow the run, even before it starts",
    commandOnly: true,
  },
  port: {
    kind: wholeNumber(0, 65_535),
    value: "<n>",
    help: "Serve at this port, with --watch",
    decidedBy: "a free one",
    commandOnly: true,
  },
  ...modelOptions,
  json: jsonOption("one object"),
} as const satisfies OptionsOf<ReportCommandSettings>;

export const REPORT_DEFAULTS = defaultsOf(REPORT);
