import type { Terminal } from "../terminal/terminal.js";
import type { Reporter } from "./reporter.js";

/** Only warnings, and at the end where the model is. */
export function quietReporter(terminal: Terminal): Reporter {
  return {
    async report(event) {
      if (event.event === "warning") terminal.warn(event.message);
      if (event.event === "end") await terminal.out(`${event.path}\n`);
    },
    say: terminal.say,
    close() {},
  };
}
