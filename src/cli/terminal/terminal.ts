import { once } from "node:events";
import { Chalk, type ChalkInstance, supportsColorStderr } from "chalk";
import { CharnnError, systemErrorCode } from "../../errors.js";
import { printable } from "./printable.js";

type Stream = NodeJS.WriteStream;

/** The two streams a command writes to, and what they can show. */
export interface Terminal {
  /** Colours for standard error; without effect where there are none. */
  readonly errorColors: ChalkInstance;
  /** Whether standard error is a terminal that a progress bar can be drawn on. */
  readonly isInteractive: boolean;
  readonly stderr: Stream;
  /** How wide standard output is, in characters; undefined where that is no terminal. */
  readonly outWidth: number | undefined;
  /** Aborted when nothing more can be written to standard output. */
  readonly outClosed: AbortSignal;
  /**
   * Writes a result to standard output, resolved when more can be taken. On a terminal, control
   * characters that a model or a file may hold are shown, not obeyed.
   */
  out(text: string): Promise<void>;
  /**
   * Waits until all results are written.
   *
   * @throws CharnnError `NOT_WRITABLE` where that is impossible; a reader who left is no error.
   */
  written(): Promise<void>;
  /** Writes a line to standard error. */
  say(line?: string): void;
  /** Writes a warning to standard error. */
  warn(message: string): void;
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const hasColors = !env.NO_COLOR && supportsColorStderr;
  const errorColors = new Chalk({ level: hasColors ? hasColors.level : 0 });
  const closed = new AbortController();
  let failure: Error | undefined;
  stdout.on("error", (error) => {
    if (systemErrorCode(error) !== "EPIPE") failure = error;
    closed.abort();
  });
  stderr.on("error", () => {});
  const say = (line = "") => {
    stderr.write(`${line}\n`);
  };
  return {
    errorColors,
    isInteractive: stderr.isTTY === true && env.TERM !== "dumb",
    stderr,
    outWidth: stdout.isTTY ? stdout.columns : undefined,
    outClosed: closed.signal,
    say,
    warn: (message) => say(`${errorColors.yellow("Warning:")} ${printable(message)}`),
    async out(text) {
      if (closed.signal.aborted) return;
      if (stdout.write(stdout.isTTY ? printable(text) : text)) return;
      // Where it fails, `outClosed` tells.
      await once(stdout, "drain", { signal: closed.signal }).catch(() => {});
    },
    async written() {
      if (!closed.signal.aborted) await new Promise((resolve) => stdout.write("", resolve));
      if (failure) throw outNotWritable(failure);
    },
  };
}

function outNotWritable(cause: Error): CharnnError {
  const isFull = systemErrorCode(cause) === "ENOSPC";
  return new CharnnError(
    "NOT_WRITABLE",
    `The standard output can't be written: ${isFull ? "the disk is full" : cause.message}.`,
    undefined,
    { cause },
  );
}
