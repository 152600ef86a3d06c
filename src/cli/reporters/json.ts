import type { Terminal } from "../terminal/terminal.js";
import type { Reporter } from "./reporter.js";

/** Every event as one JSON object a line on standard output; warnings on standard error too. */
export function jsonReporter(terminal: Terminal): Reporter {
  return {
    report(event) {
      if (event.event === "warning") terminal.warn(event.message);
      return terminal.out(`${JSON.stringify(event)}\n`);
    },
    say: terminal.say,
    close() {},
  };
}
