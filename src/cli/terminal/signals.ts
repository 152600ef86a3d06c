import { constants } from "node:os";
import type { Reporter } from "../reporters/reporter.js";
import { survivesHangUp } from "./hang-up.js";
import { TO_LINE_START } from "./styled.js";
import type { Terminal } from "./terminal.js";

/** The signals that ask a command to finish what it does and end. */
type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** What a shell makes of a program that writes where nobody reads any more: 128 and SIGPIPE. */
const NOBODY_READS = 128 + 13;

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** 0 without a signal, otherwise 128 and its number. */
  readonly exitCode: number;
  /** Lets signals end the process at once again. */
  release(): void;
}

/** Lets a command go on when its terminal goes, where that was asked for. */
export function heedHangUp(terminal: Terminal): void {
  if (survivesHangUp(terminal)) process.on("SIGHUP", () => {});
}

/**
 * Ends the process at the first signal, for a command that has nothing to save.
 *
 * @param close leaves the terminal as it was
 * @returns lets signals be what they were
 */
export async function endAtSignals(terminal: Terminal, close: () => void): Promise<() => void> {
  return handleSignals(terminal, 0, (code) => {
    close();
    process.exit(code);
  });
}

/**
 * Asks a run to end, and to save, at the first signal or when nobody reads the output any more.
 *
 * @param isBegun whether there is something to save
 */
export async function catchSignals(
  terminal: Terminal,
  reporter: Reporter,
  isBegun: () => boolean,
): Promise<Interruption> {
  // The terminal has written ^C there, which the line then covers.
  const start = terminal.isInteractive ? TO_LINE_START : "";
  const interruption = await abortAtSignals(
    terminal,
    () => {
      const what = isBegun() ? "Finishing this step and saving" : "Stopping";
      reporter.say(start, `${what}; once more to leave at once.`);
    },
    reporter.close,
  );
  return {
    signal: AbortSignal.any([interruption.signal, terminal.outClosed]),
    get exitCode() {
      return interruption.exitCode || (terminal.outClosed.aborted ? NOBODY_READS : 0);
    },
    release: interruption.release,
  };
}

/** Turns the first signal into an abort; a second one ends the process at once. */
export async function abortAtSignals(
  terminal: Terminal,
  atFirst: () => void,
  close: () => void = () => {},
): Promise<Interruption> {
  const controller = new AbortController();
  let exitCode = 0;
  const release = await handleSignals(terminal, 1, (code) => {
    if (exitCode > 0) {
      close();
      process.exit(code);
    }
    exitCode = code;
    terminal.hurry();
    atFirst();
    controller.abort();
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    release,
  };
}

/**
 * Calls `handle` at signals as soon as the event loop turns. The addon ends the process without waiting
 * for that at the first one after `letThrough`.
 *
 * @returns lets signals be what they were
 */
async function handleSignals(
  terminal: Terminal,
  letThrough: number,
  handle: (code: number) => void,
): Promise<() => void> {
  const hangUp = !survivesHangUp(terminal);
  const names: SignalName[] = ["SIGINT", "SIGTERM", ...(hangUp ? (["SIGHUP"] as const) : [])];
  const handleOne = (name: SignalName) => handle(128 + constants.signals[name]);
  for (const name of names) process.on(name, handleOne);
  const { guardSignals } = await import("../../backends/native/signal-guard.js");
  const unguard = guardSignals({ letThrough, hangUp, restoreTerminal: terminal.isInteractive });
  return () => {
    unguard();
    for (const name of names) process.off(name, handleOne);
  };
}
