import type { CommandContext } from "../context.js";
import { withFacts } from "./bar.js";
import { createProgress } from "./progress.js";
import { warning } from "./terminal.js";

/** A line on a terminal that says what is being done, and is erased when that is over. */
export interface Status {
  show(what: string): void;
  /** Warns above the line. */
  warn(message: string): void;
  /** Erases the line, before anything else is written. */
  stop(): void;
}

export function createStatus({
  terminal,
  interruption,
}: Pick<CommandContext, "terminal" | "interruption">): Status {
  const progress = createProgress(terminal);
  interruption.restoreBy(progress.stop);
  return {
    show: (what) => progress.start((width) => ({ lines: [withFacts("", [what], width)] })),
    warn(message) {
      if (terminal.isInteractive) progress.say(warning(message, terminal.errorColors));
      else terminal.warn(message);
    },
    stop: progress.stop,
  };
}
