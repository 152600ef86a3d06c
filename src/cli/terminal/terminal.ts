import { once } from "node:events";
import {
  Chalk,
  type ChalkInstance,
  type ColorInfo,
  supportsColor,
  supportsColorStderr,
} from "chalk";
import { CharnnError, systemErrorCode } from "../../errors.js";
import { printable } from "./printable.js";

type Stream = NodeJS.WriteStream;

/** The two streams a command writes to, and what they can show. */
export interface Terminal {
  /** Colours for standard error, and for standard output; without effect where there are none. */
  readonly errorColors: ChalkInstance;
  readonly outColors: ChalkInstance;
  /** Whether standard error is a terminal that a progress bar can be drawn on. */
  readonly isInteractive: boolean;
  readonly stderr: Stream;
  /** How wide standard output is, in characters; undefined where that is no terminal. */
  readonly outWidth: number | undefined;
  /** Aborted when nothing more can be written to standard output. */
  readonly outClosed: AbortSignal;
  /**
   * Writes a result to standard output, resolved when more can be taken. On a terminal, control
   * characters that a model or a file may hold are shown, not obeyed, unless they are `styled` by
   * {@link outColors}.
   */
  out(text: string, styled?: "styled"): Promise<void>;
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
  const colors = (support: ColorInfo) =>
    new Chalk({ level: !env.NO_COLOR && support ? support.level : 0 });
  const errorColors = colors(supportsColorStderr);
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
    outColors: colors(supportsColor),
    isInteractive: stderr.isTTY === true && env.TERM !== "dumb",
    stderr,
    outWidth: stdout.isTTY ? stdout.columns : undefined,
    outClosed: closed.signal,
    say,
    warn: (message) => say(`${errorColors.yellow("Warning:")} ${printable(message)}`),
    async out(text, styled) {
      if (closed.signal.aborted) return;
      if (stdout.write(stdout.isTTY && !styled ? printable(text) : text)) return;
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
