import { Command } from "commander";
import { version } from "../version.js";
import { benchCommand } from "./commands/bench.js";
import { completeCommand } from "./commands/complete.js";
import { copiesCommand } from "./commands/copies.js";
import { doctorCommand } from "./commands/doctor.js";
import { evalCommand } from "./commands/eval.js";
import { exportCommand } from "./commands/export.js";
import { importCommand } from "./commands/import.js";
import { infoCommand } from "./commands/info.js";
import { nextCommand } from "./commands/next.js";
import { playCommand } from "./commands/play.js";
import { plotCommand } from "./commands/plot.js";
import { reportCommand } from "./commands/report.js";
import { runsCommand } from "./commands/runs.js";
import { sampleCommand } from "./commands/sample.js";
import { scoreCommand } from "./commands/score.js";
import { trainCommand } from "./commands/train.js";
import type { CommandContext } from "./context.js";
import { setUpHelp } from "./options/help.js";

/** By what a person wants to do. */
const COMMANDS = {
  "Start:": [trainCommand, sampleCommand, playCommand],
  "Look:": [infoCommand, plotCommand, reportCommand, runsCommand],
  "Measure:": [evalCommand, scoreCommand, nextCommand, copiesCommand],
  "Exchange:": [exportCommand, importCommand],
  "Machine:": [doctorCommand, benchCommand, completeCommand],
};

/** The whole command line. Commands load the library only when they run. */
export function createProgram(given: Omit<CommandContext, "version">): Command {
  const { terminal, interruption } = given;
  const program = new Command("charnn")
    .description("Train a small neural network on your text, and let it write more.")
    .version(version(), "-v, --version", "Print the version")
    .showSuggestionAfterError(false)
    // What follows a command's name is for that command, whatever options those above it have.
    .enablePositionalOptions()
    .exitOverride()
    .hook("preAction", () => interruption.guard())
    // The caller reports errors, all in one way.
    .configureOutput({
      writeOut: (text) => void terminal.out(text),
      writeErr(text) {
        for (const line of text.trimEnd().split("\n")) terminal.say(line);
      },
      outputError() {},
    });
  setUpHelp(program);
  for (const [heading, commands] of Object.entries(COMMANDS)) {
    program.commandsGroup(heading);
    for (const add of commands) add(program, { ...given, version: version() });
  }
  return program;
}
