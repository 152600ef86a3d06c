import { Command } from "commander";
import { benchCommand } from "./commands/bench.js";
import { copiesCommand } from "./commands/copies.js";
import { doctorCommand } from "./commands/doctor.js";
import { evalCommand } from "./commands/eval.js";
import { infoCommand } from "./commands/info.js";
import { plotCommand } from "./commands/plot.js";
import { reportCommand } from "./commands/report.js";
import { sampleCommand } from "./commands/sample.js";
import { scoreCommand } from "./commands/score.js";
import { trainCommand } from "./commands/train.js";
import type { CommandContext } from "./context.js";
import { version } from "./version.js";

const COMMANDS = [
  trainCommand,
  sampleCommand,
  evalCommand,
  scoreCommand,
  copiesCommand,
  plotCommand,
  reportCommand,
  infoCommand,
  benchCommand,
  doctorCommand,
];

/** The whole command line. Commands load the library only when they run. */
export function createProgram(given: Omit<CommandContext, "version">): Command {
  const { terminal, interruption } = given;
  const program = new Command("charnn")
    .description(
      "Train a character-level recurrent neural network on any text, and write more like it.",
    )
    .version(version(), "-V, --version")
    .exitOverride()
    .hook("preAction", () => interruption.guard())
    // Errors are said by the caller, all in one way.
    .configureOutput({
      writeOut: (text) => void terminal.out(text),
      writeErr(text) {
        for (const line of text.trimEnd().split("\n")) terminal.say(line);
      },
      outputError() {},
    })
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 100, 100) })
    .addHelpText(
      "after",
      `
Examples:
  charnn train data/shakespeare.txt
  charnn sample --seed "i love" -n 200
  charnn eval shakespeare-gru-1x128 other.txt
  charnn info
  charnn doctor`,
    );
  for (const add of COMMANDS) add(program, { ...given, version: version() });
  return program;
}
