import { constants } from "node:os";
import type { Reporter } from "../reporters/reporter.js";
import type { Terminal } from "./terminal.js";

/** The signals that ask a command to finish what it does and end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interruption {
  /** Aborted by the first signal, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** 0 without a signal, otherwise 128 and its number. */
  readonly exitCode: number;
  /** Lets signals end the process at once again. */
  release(): void;
}

/**
 * Ends the process at the first signal, for a command that has nothing to save.
 *
 * @param close leaves the terminal as it was
 * @returns lets signals be what they were
 */
export function endAtSignals(close: () => void): () => void {
  const handle = (name: (typeof SIGNALS)[number]) => {
    close();
    process.exit(128 + constants.signals[name]);
  };
  for (const name of SIGNALS) process.on(name, handle);
  return () => {
    for (const name of SIGNALS) process.off(name, handle);
  };
}

/** Turns the first signal into an abort; a second one ends the process at once. */
export function catchSignals(terminal: Terminal, reporter: Reporter): Interruption {
  const controller = new AbortController();
  let exitCode = 0;
  const handle = (name: (typeof SIGNALS)[number]) => {
    const code = 128 + constants.signals[name];
    if (exitCode > 0) {
      reporter.close();
      process.exit(code);
    }
    exitCode = code;
    // The terminal has written ^C there, which the line then covers.
    const start = terminal.isInteractive ? "\r" : "";
    reporter.say(`${start}Finishing this step and saving; once more to leave at once.`);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, handle);
  return {
    signal: AbortSignal.any([controller.signal, terminal.outClosed]),
    get exitCode() {
      return exitCode;
    },
    release() {
      for (const name of SIGNALS) process.off(name, handle);
    },
  };
}
