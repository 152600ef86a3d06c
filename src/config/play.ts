import { AT_LEAST_ZERO_EACH, wholeNumber } from "./kinds.js";
import type { OptionsOf } from "./option.js";
import { SAMPLE } from "./sample.js";
import { type BackendSettings, modelOptions } from "./shared.js";

/** How to begin. */
export interface PlaySettings extends BackendSettings {
  readonly length?: number | undefined;
  readonly temperature?: number | readonly number[] | undefined;
  readonly out?: string | undefined;
}

/** Characters that are written at a time. */
const LENGTH = 200;

/** All options of `play`, in the order in which the help shows them. */
export const PLAY = {
  length: {
    kind: wholeNumber(1),
    value: "<n>",
    short: "-n",
    help: "Write n characters at a time",
    default: LENGTH,
  },
  temperature: {
    kind: AT_LEAST_ZERO_EACH,
    value: "<t>",
    short: "-t",
    help: SAMPLE.temperature.help,
    default: SAMPLE.temperature.default,
  },
  ...modelOptions,
} as const satisfies OptionsOf<PlaySettings>;
