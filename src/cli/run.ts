import { constants } from "node:os";
import { type Command, CommanderError } from "commander";
import { CharnnError } from "../errors.js";
import { isOutOfMemory, memoryLimit } from "../memory.js";
import { systemErrorCode } from "../system-error-code.js";
import { cureOf, reasonOf } from "../system-errors.js";
import { hyphened, memorySize } from "../text.js";
import { printableMessage } from "./format/printable.js";
import { asTyped } from "./invocation.js";
import { readCommandLine, usageError } from "./options/command-line.js";
import { forgetEmptyVariables, namingVariable } from "./options/environment.js";
import { checkPaths } from "./options/paths.js";
import { withOptions } from "./options/with-options.js";
import { createProgram } from "./program.js";
import { endRanks, followRankZero, joinRanks } from "./ranks.js";
import { heedHangUp, Interruption } from "./terminal/signals.js";
import { styled } from "./terminal/styled.js";
import { processTerminal, type Terminal } from "./terminal/terminal.js";

/** Exit codes besides 0: what was typed can't be right; anything else that went wrong. */
const USAGE_ERROR = 2;
const FAILURE = 1;
/** Interrupted by a signal: this and its number. */
const INTERRUPTED = 128;

/**
 * Runs the command line.
 *
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  heedHangUp(terminal);
  const interruption = new Interruption(terminal);
  interruption.begin();
  let exitCode = 0;
  const exitWith = (code: number) => {
    exitCode = code;
  };
  let program: Command | undefined;
  let where = "";
  try {
    const ranks = await joinRanks(args, interruption);
    if (ranks.rank > 0) {
      interruption.leave();
      where = `On machine ${ranks.machine}: `;
      await followRankZero(ranks);
      return 0;
    }
    if (ranks.size > 1) interruption.heedUser();
    program = createProgram({ terminal, interruption, exitWith, ranks });
    try {
      await parse(args, program, interruption.signal).finally(() => endRanks(ranks));
    } catch (error) {
      if (!(await interruption.hasCaused(error))) throw error;
    }
    await terminal.written();
    // What is still waited for, such as a reader that does not read, must not keep an interrupted command alive.
    if (interruption.exitCode > 0) endInterrupted(interruption);
    interruption.release();
    return exitCode;
  } catch (error) {
    interruption.release();
    if (!(error instanceof CommanderError)) return printError(error, terminal, where);
    // Help that was asked for, or that commander gave where no command was given.
    if (error.code === "commander.help" || error.exitCode === 0) {
      return terminal.written().then(
        () => interruption.exitCode || (error.exitCode === 0 ? 0 : USAGE_ERROR),
        (failure: unknown) => printError(failure, terminal),
      );
    }
    return printError(program ? usageError(error, args, program) : error, terminal);
  }
}

/**
 * Reads a command line and does what it says, unless a path in it can't be meant.
 *
 * @throws CharnnError, the signal's reason, and what the command throws
 */
export async function parse(
  args: readonly string[],
  program: Command,
  signal?: AbortSignal,
): Promise<void> {
  const { args: own, config, command, given } = await readCommandLine(args, program, signal);
  program.hook("preAction", (_, command) => checkPaths(command, config));
  if (command) forgetEmptyVariables(command);
  try {
    await program.parseAsync(own, { from: "user" });
  } catch (error) {
    throw command ? namingVariable(error, command, given) : error;
  }
}

function endInterrupted(interruption: Interruption): never {
  const { exitCode } = interruption;
  // Node aborts where it puts back the settings of a terminal that is gone. The signal does not.
  if (exitCode === INTERRUPTED + constants.signals.SIGHUP) {
    interruption.release();
    process.kill(process.pid, "SIGHUP");
  }
  process.exit(exitCode);
}

/**
 * Says what went wrong; nothing else does.
 *
 * @param where it went wrong, to begin the message with
 */
function printError(error: unknown, terminal: Terminal, where = ""): number {
  if (error instanceof CharnnError) {
    const hint = error.hint && withOptions(error.hint);
    sayError(terminal, where + messageWithOptions(error), hint);
    return error.code === "INVALID_SETTING" ? USAGE_ERROR : FAILURE;
  }
  if (isOutOfMemory(error)) {
    const { message } = error as Error;
    const what = `${where}Not everything that is needed fits into memory`;
    sayError(
      terminal,
      `${what}: ${message}. There are ${memorySize(memoryLimit())} for this process.`,
      "A smaller model, a shorter text, fewer texts at a time or a smaller --batch-size needs less.",
    );
    return FAILURE;
  }
  const code = systemErrorCode(error);
  // Those of Node.js itself, such as ERR_INVALID_ARG_TYPE, are our own bugs.
  if (code !== undefined && !code.startsWith("ERR_")) {
    sayError(terminal, where + systemFailure(error), cureOf(error));
    return FAILURE;
  }
  sayError(terminal, `${where}This is a bug in charnn; please report it with these lines.`);
  const stack = (error instanceof Error && error.stack) || String(error);
  for (const line of stack.split("\n")) terminal.say(line);
  return FAILURE;
}

/** A failed call of the operating system that has not been put into words yet. */
function systemFailure(error: unknown): string {
  const path = error instanceof Error && "path" in error ? error.path : undefined;
  return typeof path === "string"
    ? `${path} can't be used: ${reasonOf(error)}.`
    : `The system reports that ${reasonOf(error)}.`;
}

function sayError(terminal: Terminal, message: string, hint?: string): void {
  const { red, dim } = terminal.errorColors;
  terminal.say(styled(red, "Error:"), ` ${printableMessage(asTyped(message))}`);
  if (hint) terminal.say(styled(dim, asTyped(hint)));
}

/** Where a message begins with a setting: `hiddenSize must be ...` becomes `--hidden-size must be ...`. */
function messageWithOptions({ message, setting }: CharnnError): string {
  const isAtStart = setting !== undefined && message.startsWith(setting);
  const start = isAtStart ? `--${hyphened(setting)}` : "";
  return start + withOptions(isAtStart ? message.slice(setting.length) : message);
}
