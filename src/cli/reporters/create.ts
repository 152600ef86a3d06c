import type { ResumeCommand } from "../resume-command.js";
import type { Terminal } from "../terminal/terminal.js";
import { humanReporter } from "./human.js";
import { jsonReporter } from "./json.js";
import { quietReporter } from "./quiet.js";
import type { Reporter } from "./reporter.js";

interface ReporterOptions {
  json?: boolean | undefined;
  quiet?: boolean | undefined;
  /** What to type to go on with the run of this name. */
  resumeCommand(name: string): ResumeCommand;
}

export function createReporter(
  terminal: Terminal,
  { json, quiet, resumeCommand }: ReporterOptions,
): Reporter {
  if (json) return jsonReporter(terminal);
  return quiet ? quietReporter(terminal) : humanReporter(terminal, resumeCommand);
}
