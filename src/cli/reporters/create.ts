import type { Typed } from "../next-commands.js";
import { withOptions } from "../options/with-options.js";
import type { Terminal } from "../terminal/terminal.js";
import { humanReporter } from "./human.js";
import type { Reporter } from "./reporter.js";

/** @param typed what was typed: how much to show, and what can be typed next */
export function createReporter(terminal: Terminal, typed: Typed): Reporter {
  const { json, quiet } = typed.options;
  if (json) return jsonReporter(terminal);
  return quiet ? quietReporter(terminal) : humanReporter(terminal, typed);
}

/** Every event as one JSON object a line on standard output; warnings on standard error too. */
function jsonReporter(terminal: Terminal): Reporter {
  return {
    report(event) {
      if (event.event !== "warning") return terminal.out(`${JSON.stringify(event)}\n`);
      terminal.warn(event.message);
      const message = withOptions(event.message);
      return terminal.out(`${JSON.stringify({ ...event, message })}\n`);
    },
    prepare() {},
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
    prepare() {},
    say: terminal.say,
    close() {},
  };
}
