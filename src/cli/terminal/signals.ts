import { constants } from "node:os";
import type { Reporter } from "../reporters/reporter.js";
import { TO_LINE_START } from "./styled.js";
import type { Terminal } from "./terminal.js";

/** The signals that ask a command to finish what it does and end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interruption {
  /** Aborted by the first signal. */
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

/** Asks a run to end, and to save, at the first signal or when nobody reads the output any more. */
export function catchSignals(terminal: Terminal, reporter: Reporter): Interruption {
  // The terminal has written ^C there, which the line then covers.
  const start = terminal.isInteractive ? TO_LINE_START : "";
  const message = "Finishing this step and saving; once more to leave at once.";
  const interruption = abortAtSignals(() => reporter.say(start, message), reporter.close);
  return {
    signal: AbortSignal.any([interruption.signal, terminal.outClosed]),
    get exitCode() {
      return interruption.exitCode;
    },
    release: interruption.release,
  };
}

/** Turns the first signal into an abort; a second one ends the process at once. */
export function abortAtSignals(atFirst: () => void, close: () => void = () => {}): Interruption {
  const controller = new AbortController();
  let exitCode = 0;
  const handle = (name: (typeof SIGNALS)[number]) => {
    const code = 128 + constants.signals[name];
    if (exitCode > 0) {
      close();
      process.exit(code);
    }
    exitCode = code;
    atFirst();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, handle);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    release() {
      for (const name of SIGNALS) process.off(name, handle);
    },
  };
}
