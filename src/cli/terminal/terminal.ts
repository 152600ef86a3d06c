import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Chalk,
  type ChalkInstance,
  type ColorInfo,
  supportsColor,
  supportsColorStderr,
} from "chalk";
import { CharnnError } from "../../errors.js";
import { systemErrorCode } from "../../system-error-code.js";
import { cureOf, reasonOf } from "../../system-errors.js";
import { Turns } from "../../turns.js";
import { printableMessage } from "../format/printable.js";
import { asTyped } from "../invocation.js";
import { withOptions } from "../options/with-options.js";
import { ASCII_MARKS, type Marks, showsUnicode, UNICODE_MARKS } from "./marks.js";
import { exactText, type Piece, shownLine, shownText, styled, together } from "./styled.js";

/** How long a hurried command waits for a reader that does not read its output, in milliseconds. */
const LAST_WAIT = 500;

type Stream = NodeJS.WriteStream;

/**
 * The two streams a command writes to, and what they can show. All that a command writes for people
 * goes through here, so that what a model, a file or a name holds is shown and never obeyed.
 */
export interface Terminal {
  /** Colours for standard error, and for standard output; without effect where there are none. */
  readonly errorColors: ChalkInstance;
  readonly outColors: ChalkInstance;
  /** Whether standard error is a terminal that a progress bar can be drawn on. */
  readonly isInteractive: boolean;
  /** What bars and charts are drawn with there. */
  readonly marks: Marks;
  readonly stderr: Stream;
  /** How wide standard output is, in characters; undefined where that is no terminal. */
  readonly outWidth: number | undefined;
  /** Aborted when nothing more can be written to standard output. */
  readonly outClosed: AbortSignal;
  /**
   * Writes a result to standard output, resolved when more can be taken: exactly where a file or a
   * program takes it, and as {@link shownText} on a terminal.
   */
  out(...pieces: readonly Piece[]): Promise<void>;
  /** Writes bytes to standard output as they are, resolved when more can be taken. */
  outBytes(bytes: Uint8Array): Promise<void>;
  /**
   * Waits until all is written; a hurried command waits for a moment only.
   *
   * @throws CharnnError `NOT_WRITABLE` where that is impossible; a reader who left is no error.
   */
  written(): Promise<void>;
  /** From now on nothing waits for a reader that does not read: the command is to end. */
  hurry(): void;
  /** Writes a line to standard error, as {@link shownLine}. */
  say(...pieces: readonly Piece[]): void;
  /** Writes a warning to standard error, in one line. */
  warn(message: string): void;
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const isOutTerminal = stdout.isTTY === true && !isUnderLauncher(env);
  const colors = (support: ColorInfo) =>
    new Chalk({ level: !env.NO_COLOR && support ? support.level : 0 });
  const errorColors = colors(supportsColorStderr);
  const closed = new AbortController();
  const hurried = new AbortController();
  const stopped = AbortSignal.any([closed.signal, hurried.signal]);
  let failure: Error | undefined;
  const fail = (error: Error) => {
    if (systemErrorCode(error) !== "EPIPE") failure = error;
    closed.abort();
  };
  if (stdout.errored) fail(stdout.errored);
  stdout.on("error", fail);
  stderr.on("error", () => {});
  const turns = new Turns();
  const say = (...pieces: readonly Piece[]) => {
    stderr.write(`${shownLine(pieces)}\n`);
  };
  const write = async (content: string | Uint8Array) => {
    if (closed.signal.aborted) return;
    if (stdout.write(content)) {
      // Whether somebody reads it is known after a turn.
      await turns.give();
      return;
    }
    // Where it fails, `outClosed` tells.
    await once(stdout, "drain", { signal: stopped }).catch(() => {});
  };
  return {
    errorColors,
    outColors: colors(isUnderLauncher(env) ? false : supportsColor),
    isInteractive: stderr.isTTY === true && env.TERM !== "dumb",
    marks: showsUnicode() ? UNICODE_MARKS : ASCII_MARKS,
    stderr,
    outWidth: isOutTerminal ? stdout.columns : undefined,
    outClosed: closed.signal,
    say,
    warn: (message) => say(warning(message, errorColors)),
    out: (...pieces) => write(isOutTerminal ? shownText(pieces) : exactText(pieces)),
    outBytes: write,
    async written() {
      const streams = closed.signal.aborted ? [stderr] : [stdout, stderr];
      const all = Promise.all(
        streams.map((stream) => new Promise((resolve) => stream.write("", resolve))),
      );
      await (hurried.signal.aborted ? Promise.race([all, sleep(LAST_WAIT)]) : all);
      // That the terminal is gone, as a signal has told the command, is not a further failure.
      if (failure && !hurried.signal.aborted) throw outNotWritable(failure);
    },
    hurry: () => hurried.abort(),
  };
}

/** Open MPI gives each process a terminal without a width, wherever its own output goes. */
function isUnderLauncher({ OMPI_COMM_WORLD_SIZE }: NodeJS.ProcessEnv): boolean {
  return OMPI_COMM_WORLD_SIZE !== undefined;
}

/** A warning, for one line. */
export function warning(message: string, { yellow }: ChalkInstance): Piece {
  return together([
    styled(yellow, "Warning:"),
    ` ${printableMessage(asTyped(withOptions(message)))}`,
  ]);
}

function outNotWritable(cause: Error): CharnnError {
  return new CharnnError(
    "NOT_WRITABLE",
    `The standard output can't be written: ${reasonOf(cause)}.`,
    cureOf(cause, "send the output elsewhere"),
    { cause },
  );
}
