import type { Command, CommanderError } from "commander";
import { CharnnError } from "../../errors.js";

/** What commander has against a command line, as an error of charnn's own. */
export function usageError(
  error: CommanderError,
  args: readonly string[],
  program: Command,
): CharnnError {
  const [first, suggestion] = error.message.replace(/^error: /, "").split("\n");
  const message = `${first.charAt(0).toUpperCase()}${first.slice(1)}${first.endsWith(".") ? "" : "."}`;
  const command = commandIn(args, program);
  const help = `${["charnn", command?.name(), "--help"].filter(Boolean).join(" ")} shows what there is.`;
  const hint = suggestion?.replace(/^\((.*)\)$/, "$1") ?? help;
  return new CharnnError("INVALID_SETTING", message, hint, { cause: error });
}

/** The command that a command line names. */
export function commandIn(args: readonly string[], program: Command): Command | undefined {
  const name = args.find((arg) => !arg.startsWith("-"));
  return program.commands.find((command) => command.name() === name);
}
