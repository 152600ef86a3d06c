import { hyphened } from "../../text.js";

/** A setting that a message of the library names in backquotes, alone or with its value: `minCount: 3`. */
const SETTING = /`([a-z][A-Za-z]*)(?:: ([^`]+))?`/g;

/** A message of the library with the options of the command line in place of its settings: `--min-count 3`. */
export function withOptions(message: string): string {
  return message.replace(SETTING, (_, name: string, value?: string) => {
    const option = `--${hyphened(name)}`;
    return value === undefined ? option : `${option} ${value}`;
  });
}
