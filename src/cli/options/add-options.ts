import { type Command, Option as CommandOption, InvalidArgumentError } from "commander";
import type { Kind } from "../../config/kinds.js";
import type { Option } from "../../config/option.js";
import { CharnnError, shortened } from "../../errors.js";
import { hyphened } from "../../text.js";
import { setUpCommandHelp } from "./help.js";
import { number, numbers, seconds, stepChanges, word } from "./parsers.js";

/** What a run may be given as, for every command that reads one. */
export const RUN_ARGUMENT =
  "a run's name or folder, or a checkpoint file; the newest run when left out";

/** The options of a command by their names. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** By command: what other programs call its options, and what these are called here. */
const aliases = new WeakMap<Command, ReadonlyMap<string, string>>();

/** Options that can be given several times. */
const repeated = new WeakSet<CommandOption>();

/** Whether an option can be given several times, with another value each time. */
export function canBeRepeated(option: CommandOption): boolean {
  return option.variadic || repeated.has(option);
}

/** By option: the words that its value can be. */
const choices = new WeakMap<CommandOption, readonly string[]>();

/** The words that the value of an option can be; none where it can be anything else. */
export function choicesOf(option: CommandOption): readonly string[] {
  return choices.get(option) ?? [];
}

/**
 * Gives a command the options of a table, in their order and under their headings.
 *
 * @param examples of command lines, for the end of its help
 */
export function addOptions(
  command: Command,
  table: OptionTable,
  examples: readonly string[],
): Command {
  const others = new Map<string, string>();
  let heading: string | undefined;
  for (const [name, entry] of Object.entries(table)) {
    if (entry.help === undefined) continue;
    if (entry.group !== undefined && entry.group !== heading) command.optionsGroup(entry.group);
    heading = entry.group;
    command.addOption(optionOf(name, entry));
    for (const alias of entry.aliases ?? []) others.set(alias, hyphened(name));
  }
  aliases.set(command, others);
  const common = Object.entries(table).filter(([, { isCommon }]) => isCommon);
  setUpCommandHelp(command, examples, new Set(common.map(([name]) => `--${hyphened(name)}`)));
  return command;
}

/** The option that a name means, whoever's name it is. */
export function optionNamed(name: string, command: Command): CommandOption | undefined {
  const own = aliases.get(command)?.get(name) ?? name;
  return command.options.find(({ long }) => long === `--${own}`);
}

function optionOf(name: string, entry: Option<unknown>): CommandOption {
  const { kind, value, short, help, special } = entry;
  // What is there by default can only be left out.
  const long = `--${kind.type === "flag" && entry.default === true ? "no-" : ""}${hyphened(name)}`;
  const flags = [short && `${short}, `, long, value && ` ${value}`].filter(Boolean).join("");
  const words = kind.words && kind.words.length > 1 ? `: ${kind.words.join(", ")}` : "";
  const fallback = entry.decidedBy ?? (kind.type === "flag" ? undefined : entry.default);
  const [specialValue, meaning] = special?.split(": ") ?? [];
  const notes =
    fallback !== undefined && `${fallback}` === specialValue
      ? [`default: ${fallback}, ${meaning}`]
      : [fallback !== undefined && `default: ${fallback}`, special].filter(Boolean);
  const note = notes.length > 0 ? ` (${notes.join("; ")})` : "";
  const made = new CommandOption(flags, `${help}${words}${note}`);
  if (entry.variable !== undefined) made.env(entry.variable);
  if (kind.isRepeated) {
    repeated.add(made);
    return made.argParser((text, before: readonly string[] = []) => [...before, text]);
  }
  choices.set(made, (kind.words ?? []) as readonly string[]);
  const parse = parserOf(kind);
  return parse ? made.argParser(naming(long, parse)) : made;
}

function parserOf(kind: Kind<unknown>): ((text: string) => unknown) | undefined {
  switch (kind.type) {
    case "whole number":
    case "number":
      return number;
    case "numbers":
      return numbers;
    case "seconds":
      return seconds;
    case "changes":
      return stepChanges;
    case "word":
      return (text) => word(text, kind.words as readonly string[]);
    default:
      return undefined;
  }
}

/** A parser that says of which option it speaks when it refuses a text. */
function naming<Value>(name: string, parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      const message = `${name} ${error.message}, not ${JSON.stringify(shortened(text))}.`;
      throw new CharnnError("INVALID_SETTING", message, undefined, { cause: error });
    }
  };
}
