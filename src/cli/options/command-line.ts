import type { Command, CommanderError } from "commander";
import { RUNS_FOLDER } from "../../config/names.js";
import { CharnnError } from "../../errors.js";
import { quoted } from "../../shell-words.js";
import { canBeRepeated } from "./add-options.js";
import { readConfigFile } from "./config-file.js";
import { refuseIgnored } from "./conflicts.js";
import { firstExample } from "./help.js";
import { checkPath } from "./paths.js";
import { type GivenOption, type Token, tokensOf } from "./spelling.js";
import { commandInstead, optionInstead } from "./suggestions.js";

/** An option whose value may be empty: a text to go on from. */
const MAY_BE_EMPTY = new Set(["--seed"]);

/** What else is typed for `--version`. */
const VERSION_WORDS: ReadonlySet<string | undefined> = new Set(["version", "-V"]);

/** What was typed. */
interface CommandLine {
  /**
   * As commander is to read it: in charnn's own spelling, and with `--config FILE` replaced by the options
   * that the file holds and that were not typed.
   */
  readonly args: readonly string[];
  /** The file of options. */
  readonly config: string | undefined;
  /** The command that it names; undefined where it names none. */
  readonly command: Command | undefined;
  /** The long names of the options that were typed, or stand in the file. */
  readonly given: ReadonlySet<string | undefined>;
}

/**
 * Reads a command line, and the file of options that it names.
 *
 * @throws CharnnError `INVALID_SETTING` where one option is given two values or would be ignored, and for a file that can't be
 *   read or does not hold options; the signal's reason
 */
export async function readCommandLine(
  args: readonly string[],
  program: Command,
  signal?: AbortSignal,
): Promise<CommandLine> {
  const named = commandIn(args, program);
  const command = named?.command;
  if (!named || !command) {
    const isVersion = VERSION_WORDS.has(args[0]);
    return { args: isVersion ? ["--version"] : args, config: undefined, command, given: new Set() };
  }
  const typed = tokensOf(named.after, command);
  refuseTwice(typed);
  const isConfig = ({ given }: Token) => given?.option.long === "--config";
  const config = typed.find(isConfig)?.given?.value;
  if (config !== undefined) {
    await checkPath({ kind: "input", option: "--config", path: config }, RUNS_FOLDER);
  }
  const own = config === undefined ? typed : typed.filter((token) => !isConfig(token));
  const kept =
    config === undefined ? [] : besideTyped(await readConfigFile(config, command, signal), own);
  const all = [...kept, ...own];
  refuseIgnored(commandName(command), all);
  return {
    args: [...named.before, ...all.flatMap(({ words }) => words)],
    config,
    command,
    given: new Set(all.map(({ given }) => given?.option.long)),
  };
}

/** The options of a file that were not typed. What is typed in the same spelling wins. */
function besideTyped(kept: readonly Token[], typed: readonly Token[]): Token[] {
  refuseTwice(kept);
  return kept.filter((token) => {
    const other = typed.find(({ given }) => given && given.option === token.given?.option);
    if (token.given && other?.given && other.given.word !== token.given.word) {
      refuseOther(token.given, other.given);
    }
    return other === undefined;
  });
}

/** Refuses an option with two values, of which one would be ignored, and one with none. */
function refuseTwice(tokens: readonly Token[]): void {
  const before = new Map<string | undefined, GivenOption>();
  for (const { given } of tokens) {
    if (!given || given.option.variadic) continue;
    const { long } = given.option;
    if (given.value === "" && long && !MAY_BE_EMPTY.has(long)) {
      throw new CharnnError(
        "INVALID_SETTING",
        `${long} must not be empty.`,
        "Leave it out, or give it a value.",
      );
    }
    if (canBeRepeated(given.option)) continue;
    const other = before.get(long);
    if (other) refuseOther(other, given);
    before.set(long, given);
  }
}

function refuseOther(one: GivenOption, other: GivenOption): void {
  if (one.value === other.value) return;
  const { long } = one.option;
  const number = [one, other].find(({ value }) => long === "--seed" && /^\d+$/.test(value ?? ""));
  throw new CharnnError(
    "INVALID_SETTING",
    `${one.shown} and ${other.shown} give two values to one option, ${long}.`,
    number
      ? `Leave one of them out; the seed of the random choices is --random-seed ${number.value}.`
      : "Leave one of them out.",
  );
}

/** What commander has against a command line, as an error of charnn's own. */
export function usageError(
  error: CommanderError,
  args: readonly string[],
  program: Command,
): CharnnError {
  const command = commandIn(args, program)?.command ?? program;
  const message = error.message.replace(/^error: /, "");
  const [, typed = ""] = /'(.*)'/s.exec(message) ?? [];
  const fail = (problem: string, hint?: string) =>
    new CharnnError(
      "INVALID_SETTING",
      problem,
      hint ??
        `${["charnn", commandName(command)].filter(Boolean).join(" ")} --help shows what there is.`,
      { cause: error },
    );
  switch (error.code) {
    case "commander.unknownCommand":
      return fail(`There is no command '${typed}'.`, commandInstead(typed, program));
    case "commander.unknownOption":
      return fail(`Unknown option '${typed}'.`, optionInstead(typed, command));
    case "commander.missingArgument":
      return fail(`Missing argument '${typed}'.`, `For example: ${firstExample(command)}`);
    case "commander.excessArguments": {
      const name = commandName(command);
      if (command.commands.length > 0) {
        const after = commandIn(args, program)?.after ?? [];
        const word = after[firstOperand(after, command)];
        return fail(`There is no command '${name} ${word}'.`, commandInstead(word, command, name));
      }
      return fail(`Too many arguments for charnn ${name}.`, inQuotes(name, args, command));
    }
    default: {
      const end = message.endsWith(".") ? "" : ".";
      return fail(`${message.charAt(0).toUpperCase()}${message.slice(1)}${end}`);
    }
  }
}

/** How to type a text of several words where they were taken for several arguments. */
function inQuotes(name: string, args: readonly string[], command: Command): string | undefined {
  if (name !== "next") return undefined;
  const words = operands(commandIn(args, command.parent as Command)?.after ?? [], command);
  const [run, ...text] = words;
  return `A text of several words stands in quotes: charnn next ${quoted(run)} ${quoted(text.join(" "))}`;
}

/** A command, and what was typed before its options and operands, and after that. */
interface NamedCommand {
  readonly command: Command;
  /** Up to the command's name. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** The command that a command line names; undefined where it names none. */
function commandIn(args: readonly string[], program: Command): NamedCommand | undefined {
  const index = args.findIndex((arg) => !arg.startsWith("-"));
  const command = program.commands.find((it) => it.name() === args[index]);
  if (!command) return undefined;
  const before = args.slice(0, index + 1);
  const after = args.slice(index + 1);
  const at = firstOperand(after, command);
  const own = command.commands.find((it) => it.name() === after[at]);
  if (!own) return { command, before, after };
  // Options that stand before its name are meant for it too, as in `charnn runs --out models rm night`.
  return {
    command: own,
    before: [...before, own.name()],
    after: [...after.slice(0, at), ...after.slice(at + 1)],
  };
}

/** The index of the first word that is no option and no value of one; -1 where there is none. */
function firstOperand(args: readonly string[], command: Command): number {
  for (let i = 0; i < args.length && args[i] !== "--"; i++) {
    if (!args[i].startsWith("-")) return i;
    const option = command.options.find(({ long, short }) => [long, short].includes(args[i]));
    if (option?.required) i++;
  }
  return -1;
}

/** All words that are no options and no values of them. */
function operands(args: readonly string[], command: Command): readonly string[] {
  const at = firstOperand(args, command);
  return at === -1 ? [] : [args[at], ...operands(args.slice(at + 1), command)];
}

/** What is typed for a command after `charnn`: `runs rm`; nothing for the program itself. */
function commandName(command: Command): string {
  if (!command.parent) return "";
  return [commandName(command.parent), command.name()].filter(Boolean).join(" ");
}
