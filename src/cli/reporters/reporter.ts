import type { TrainingEvent } from "../../index.js";
import type { Terminal } from "../terminal/terminal.js";
import { humanReporter } from "./human.js";
import { jsonReporter } from "./json.js";
import { quietReporter } from "./quiet.js";

/** Shows a run as it goes. */
export interface Reporter {
  report(event: TrainingEvent): void | Promise<void>;
  /** Writes a line of the command's own to standard error. */
  say(line: string): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

interface ReporterOptions {
  json?: boolean | undefined;
  quiet?: boolean | undefined;
  /** What to type to go on with the run of this name. */
  resumeCommand(name: string): string;
}

export function createReporter(
  terminal: Terminal,
  { json, quiet, resumeCommand }: ReporterOptions,
): Reporter {
  if (json) return jsonReporter(terminal);
  return quiet ? quietReporter(terminal) : humanReporter(terminal, resumeCommand);
}
