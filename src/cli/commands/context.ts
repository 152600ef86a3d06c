import type { Interruption } from "../terminal/signals.js";
import type { Terminal } from "../terminal/terminal.js";

/** What a command is given to run with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Every command gives its signal to whatever takes time. */
  readonly interruption: Interruption;
  /** Sets the exit code of a command that ended without an error. */
  readonly exitWith: (code: number) => void;
  /** Of charnn. */
  readonly version: string;
}
