import type { TrainingEvent } from "../../index.js";
import type { Terminal } from "../terminal/terminal.js";
import { humanReporter } from "./human.js";
import { jsonReporter } from "./json.js";
import { quietReporter } from "./quiet.js";

/** Shows a run as it goes. */
export interface Reporter {
  report(event: TrainingEvent): void | Promise<void>;
  /** Leaves the terminal as it was. */
  close(): void;
}

export function createReporter(
  terminal: Terminal,
  { json, quiet }: { json?: boolean; quiet?: boolean },
): Reporter {
  if (json) return jsonReporter(terminal);
  return quiet ? quietReporter(terminal) : humanReporter(terminal);
}
