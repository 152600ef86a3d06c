import { Chalk, type ChalkInstance, supportsColor, supportsColorStderr } from "chalk";
import { printable } from "./printable.js";

type Stream = NodeJS.WriteStream;

/** The two streams a command writes to, and what they can show. */
export interface Terminal {
  /** Colours for standard output and standard error; without effect where there are none. */
  readonly outColors: ChalkInstance;
  readonly errorColors: ChalkInstance;
  /** Whether standard error is a terminal that a progress bar can be drawn on. */
  readonly isInteractive: boolean;
  readonly stderr: Stream;
  /** Aborted when whoever reads standard output no longer does. */
  readonly outClosed: AbortSignal;
  /**
   * Writes a result to standard output, resolved when more can be taken. On a terminal, control
   * characters that a model or a file may hold are shown, not obeyed.
   */
  out(text: string): Promise<void>;
  /** Writes a line to standard error. */
  say(line?: string): void;
  /** Writes a warning to standard error. */
  warn(message: string): void;
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const colors = (support: { level: number } | false): ChalkInstance =>
    new Chalk({ level: env.NO_COLOR || !support ? 0 : (support.level as 0 | 1 | 2 | 3) });
  const errorColors = colors(supportsColorStderr);
  const closed = new AbortController();
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    closed.abort();
  });
  stderr.on("error", () => {});
  const say = (line = "") => {
    stderr.write(`${line}\n`);
  };
  return {
    outColors: colors(supportsColor),
    errorColors,
    isInteractive: stderr.isTTY === true && env.TERM !== "dumb",
    stderr,
    outClosed: closed.signal,
    say,
    warn: (message) => say(`${errorColors.yellow("Warning:")} ${printable(message)}`),
    out(text) {
      if (closed.signal.aborted) return Promise.resolve();
      const shown = stdout.isTTY ? printable(text) : text;
      if (stdout.write(shown)) return Promise.resolve();
      return new Promise((resolve) => {
        stdout.once("drain", resolve);
        closed.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
}
