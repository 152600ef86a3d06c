import type { ResumeCommand } from "../resume-command.js";
import type { Terminal } from "../terminal/terminal.js";
import { humanReporter } from "./human.js";
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

/** Every event as one JSON object a line on standard output; warnings on standard error too. */
function jsonReporter(terminal: Terminal): Reporter {
  return {
    report(event) {
      if (event.event === "warning") terminal.warn(event.message);
      return terminal.out(`${JSON.stringify(event)}\n`);
    },
    say: terminal.say,
    close() {},
  };
}

/** Only warnings, and at the end where the model is. */
function quietReporter(terminal: Terminal): Reporter {
  return {
    async report(event) {
      if (event.event === "warning") terminal.warn(event.message);
      if (event.event === "end") await terminal.out(`${event.path}\n`);
    },
    say: terminal.say,
    close() {},
  };
}
