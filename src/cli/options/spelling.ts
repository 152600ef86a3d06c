import type { Command, Option } from "commander";
import { CharnnError } from "../../errors.js";
import { optionNamed } from "./add-options.js";

/** An option as it was given. */
export interface GivenOption {
  /** Its name, spelled in one way: `max-epochs` for `--max_epochs`. */
  readonly word: string;
  /** As it was given, for messages: `--max_epochs 5`. */
  readonly shown: string;
  readonly option: Option;
  /** Undefined for one that takes none. */
  readonly value: string | undefined;
}

/** A word of a command line, or an option with its value. */
export interface Token {
  /** As commander is to read it, in charnn's own spelling. */
  readonly words: readonly string[];
  /** Undefined for operands, and for what the command does not know. */
  readonly given?: GivenOption;
}

/**
 * What was typed after the name of a command, in charnn's own spelling: underscores become hyphens, other
 * programs' names ours.
 *
 * @throws CharnnError `INVALID_SETTING` for a long option with one dash, which would be read as
 *   short ones
 */
export function tokensOf(args: readonly string[], command: Command): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") return [...tokens, { words: args.slice(i) }];
    const found = optionIn(arg, command);
    if (!found) {
      tokens.push({ words: [arg] });
      continue;
    }
    const { option, word, own, inline } = found;
    const takesNext = option.required && inline === undefined && i + 1 < args.length;
    const value = takesNext ? args[++i] : inline;
    const shown = takesNext ? `${arg} ${value}` : arg;
    const given = value === undefined ? undefined : fromFile(word, value, command);
    const words = takesNext ? [own, value as string] : [own];
    tokens.push({
      words: given ? [`${given.long}=${value?.slice(FROM_FILE.length)}`] : words,
      given: { word, shown, option: given ?? option, value },
    });
  }
  return tokens;
}

interface FoundOption {
  readonly option: Option;
  readonly word: string;
  /** In charnn's spelling, with its value where that is in the same word. */
  readonly own: string;
  readonly inline: string | undefined;
}

function optionIn(arg: string, command: Command): FoundOption | undefined {
  const short = command.options.find((option) => option.short === arg.slice(0, 2));
  const [, dashes, typed, value] = /^(--?)([a-z][a-z_-]+)(?:=(.*))?$/is.exec(arg) ?? [];
  const word = typed?.replaceAll("_", "-");
  const long = word === undefined ? undefined : optionNamed(word, command);
  if (dashes === "-" && long) {
    throw new CharnnError(
      "INVALID_SETTING",
      `${arg} has one dash, as options of a single letter have.`,
      `Long options take two: ${long.long}${value === undefined ? "" : `=${value}`}`,
    );
  }
  if (dashes === "--" && word !== undefined && long) {
    const own = value === undefined ? `${long.long}` : `${long.long}=${value}`;
    return { option: long, word, own, inline: value };
  }
  if (!short || arg.startsWith("--")) return undefined;
  const rest = short.required && arg.length > 2 ? arg.slice(2) : undefined;
  return { option: short, word: short.name(), own: arg, inline: rest };
}

const FROM_FILE = "FILE:";
const FILE_PROMPTS: ReadonlySet<string> = new Set(["start", "prompt"]);

/** The option that reads a file, for a value by which nanoGPT reads one: `--start=FILE:prompt.txt`. */
function fromFile(word: string, value: string, command: Command): Option | undefined {
  if (!FILE_PROMPTS.has(word) || !value.startsWith(FROM_FILE)) return undefined;
  return command.options.find(({ long }) => long === "--seed-file");
}
