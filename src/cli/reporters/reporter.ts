import type { TrainingEvent } from "../../training/events.js";
import type { Piece } from "../terminal/styled.js";

/** Shows a run as it goes. */
export interface Reporter {
  report(event: TrainingEvent): void | Promise<void>;
  /** Writes a line of the command's own to standard error. */
  say(...pieces: readonly Piece[]): void;
  /** Leaves the terminal as it was. */
  close(): void;
}
