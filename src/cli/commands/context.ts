import type { Terminal } from "../terminal/terminal.js";

/** What a command is given to run with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Sets the exit code of a command that ended without an error. */
  readonly exitWith: (code: number) => void;
  /** Of charnn. */
  readonly version: string;
}
