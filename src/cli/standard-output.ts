import { CharnnError } from "../errors.js";
import type { Terminal } from "./terminal/terminal.js";

const NAMES = /^(?:-|\/dev\/stdout|(?:\/dev|\/proc\/self)\/fd\/1)$/;

/**
 * Whether a file is to be written to standard output, which then gets nothing else.
 *
 * @throws CharnnError where standard output is a terminal, or has JSON
 */
export function isStandardOutput(
  output: string | undefined,
  json: boolean | undefined,
  { outWidth }: Terminal,
): boolean {
  if (output === undefined || !NAMES.test(output)) return false;
  if (json) {
    throw new CharnnError(
      "INVALID_SETTING",
      "`json` and the file can't both be on standard output.",
      "Leave out `json`, or choose a file with `output`.",
    );
  }
  if (outWidth !== undefined) {
    throw new CharnnError(
      "INVALID_SETTING",
      "The file can't be written to a terminal.",
      "Redirect standard output to a file or a program, or choose a file with `output`.",
    );
  }
  return true;
}
