import type { Ranks } from "../ranks/ranks.js";
import type { Interruption } from "./terminal/signals.js";
import type { Terminal } from "./terminal/terminal.js";

/** What a command is given to run with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Its signal is passed on to all work that takes time. */
  readonly interruption: Interruption;
  /** The processes that do the command's work; this one is rank 0. */
  readonly ranks: Ranks;
  /** Sets the exit code of a command that ended without an error. */
  readonly exitWith: (code: number) => void;
  /** Of charnn. */
  readonly version: string;
}
