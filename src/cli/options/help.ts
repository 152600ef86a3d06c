/** How help looks: the program's has a line for each command, and that of a command with many options two tiers. */
import { type Command, CommanderError, Option as CommandOption, Help } from "commander";

const MAX_WIDTH = 100;
/** Where the examples begin in the program's help, in columns after the summaries. */
const SUMMARY_WIDTH = 29;

const standard = new Help();
/** By command: its examples, of which the program's help shows the first. */
const examples = new WeakMap<Command, readonly string[]>();

/** Sets how the help of a program and its commands looks. To be called before it has any commands. */
export function setUpHelp(program: Command): void {
  program
    .helpOption("-h, --help", "Show this help")
    .helpCommand("help [command]", "Show the help of a command")
    .configureHelp({
      helpWidth: Math.min(process.stdout.columns ?? MAX_WIDTH, MAX_WIDTH),
      // The last line says how to get the help of a command.
      visibleCommands: (command) => [...command.commands],
      subcommandTerm: (command) => standard.subcommandTerm(command).replace(" [options]", ""),
      subcommandDescription(command) {
        return command.summary().padEnd(SUMMARY_WIDTH) + firstExample(command);
      },
    })
    .addHelpText(
      "after",
      "\ncharnn COMMAND --help shows the options and more examples of a command.",
    );
}

export function firstExample(command: Command): string {
  return examples.get(command)?.[0] ?? "";
}

/**
 * Gives a command its examples, and a short help that has some of its options where `common` names them;
 * `--help-all` shows all.
 *
 * @param common the long names of these options, such as `--epochs`
 */
export function setUpCommandHelp(
  command: Command,
  lines: readonly string[],
  common: ReadonlySet<string>,
): void {
  examples.set(command, lines);
  const shown = (count: number) => lines.slice(0, count).map((line) => `\n  ${line}`);
  let isShort = common.size > 0;
  command.addHelpText("after", () => `\nExamples:${shown(isShort ? 4 : lines.length).join("")}`);
  const all = new CommandOption("--help-all", "Show all options");
  command.addOption(isShort ? all : all.hideHelp());
  command.on("option:help-all", () => {
    isShort = false;
    command.outputHelp();
    // As --help ends.
    throw new CommanderError(0, "commander.helpDisplayed", "(outputHelp)");
  });
  if (!isShort) return;
  const ofShortHelp = (option: CommandOption) =>
    ["--help", "--help-all"].includes(`${option.long}`) || common.has(`${option.long}`);
  command.configureHelp({
    ...command.configureHelp(),
    visibleOptions(of) {
      const options = standard.visibleOptions(of);
      return isShort ? options.filter(ofShortHelp) : options;
    },
    groupItems(of, visible, groupOf) {
      return standard.groupItems(of, visible, isShort ? () => "Options:" : groupOf);
    },
  });
}
