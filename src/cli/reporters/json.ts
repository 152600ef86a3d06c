import type { Terminal } from "../terminal/terminal.js";
import type { Reporter } from "./reporter.js";

/** Every event as one JSON object a line on standard output. */
export function jsonReporter(terminal: Terminal): Reporter {
  return {
    report: (event) => terminal.out(`${JSON.stringify(event)}\n`),
    say: terminal.say,
    close() {},
  };
}
