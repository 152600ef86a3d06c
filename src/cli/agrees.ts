import { createInterface } from "node:readline/promises";
import { CharnnError } from "../errors.js";
import type { Terminal } from "./terminal/terminal.js";

/**
 * Asks whether to go on.
 *
 * @param command that is asked about, named in the error where there is nobody to ask
 * @throws CharnnError `INVALID_SETTING` where there is no terminal; the reason of the signal
 */
export async function agrees(
  terminal: Terminal,
  command: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!process.stdin.isTTY || !terminal.isInteractive) {
    throw new CharnnError(
      "INVALID_SETTING",
      "There is no terminal to ask on.",
      `In a script, add --yes: charnn ${command} --yes`,
    );
  }
  const questions = createInterface({ input: process.stdin, output: terminal.stderr });
  // A terminal that is read line by line gives Ctrl-C to its reader.
  questions.on("SIGINT", () => {
    terminal.say();
    process.kill(process.pid, "SIGINT");
  });
  try {
    const answer = await questions.question("Continue? [y/N] ", { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    signal.throwIfAborted();
    // The end of what is typed, Ctrl-D, is no answer.
    terminal.say();
    return false;
  } finally {
    questions.close();
  }
}
