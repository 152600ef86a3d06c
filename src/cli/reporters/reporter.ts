import type { Preparation } from "../../planning/preparation.js";
import type { TrainingEvent } from "../../training/events.js";
import type { Piece } from "../terminal/styled.js";

/** Shows a run as it goes. */
export interface Reporter {
  /** Something is about to be done before a run starts. */
  prepare(doing: Preparation): void;
  report(event: TrainingEvent): void | Promise<void>;
  /** Writes a line of the command itself to standard error. */
  say(...pieces: readonly Piece[]): void;
  /** Leaves the terminal as it was. */
  close(): void;
}
