import type { Command } from "commander";
import { CharnnError } from "../../errors.js";
import { readConfigFile } from "./config-file.js";
import { refuseIgnored } from "./conflicts.js";
import { type GivenOption, type Token, tokensOf } from "./spelling.js";
import { commandIn } from "./usage-error.js";

/** Whose value may be nothing: a text to go on from. */
const MAY_BE_EMPTY = new Set(["--seed"]);

/**
 * What was typed, as commander is to read it: in charnn's own spelling, and with `--config FILE` replaced by
 * the options that the file holds and that were not typed.
 *
 * @throws CharnnError `INVALID_SETTING` where one option is given two values or would be ignored, and for a file that can't be
 *   read or does not hold options
 */
export async function readCommandLine(
  args: readonly string[],
  program: Command,
): Promise<string[]> {
  const command = commandIn(args, program);
  if (!command) return [...args];
  const start = args.indexOf(command.name()) + 1;
  const typed = tokensOf(args.slice(start), command);
  refuseTwice(typed);
  const isConfig = ({ given }: Token) => given?.option.long === "--config";
  const file = typed.find(isConfig)?.given?.value;
  const own = file === undefined ? typed : typed.filter((token) => !isConfig(token));
  const kept = file === undefined ? [] : besideTyped(await readConfigFile(file, command), own);
  refuseIgnored(command.name(), [...kept, ...own]);
  return [...args.slice(0, start), ...[...kept, ...own].flatMap(({ words }) => words)];
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
