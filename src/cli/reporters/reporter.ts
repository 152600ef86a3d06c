import type { TrainingEvent } from "../../index.js";

/** Shows a run as it goes. */
export interface Reporter {
  report(event: TrainingEvent): void | Promise<void>;
  /** Writes a line of the command's own to standard error. */
  say(line: string): void;
  /** Leaves the terminal as it was. */
  close(): void;
}
