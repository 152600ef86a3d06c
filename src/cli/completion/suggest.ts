import type { Argument, Command, Option } from "commander";
import { RUNS_FOLDER } from "../../config/names.js";
import { choicesOf } from "../options/add-options.js";
import { pathKind, placeholderOf } from "../options/paths.js";

/** What can stand in the place of a word. */
export interface Suggestions {
  readonly values: readonly { readonly value: string; readonly description: string }[];
  /** Whether the shell is to complete names of files. */
  readonly files: boolean;
}

/** Shells may expand anything else in a name, also before anybody has pressed Enter. */
const SAFE = /^[\p{L}\p{N}_.,+@-]+$/u;
const NOTHING: Suggestions = { values: [], files: false };
const FILES: Suggestions = { values: [], files: true };
const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
/** Operands that are names of runs, beside those that may be paths too. */
const RUN_NAMES: ReadonlySet<string> = new Set(["names", "other"]);

/**
 * What may stand in the place of the last of some words, which has been typed in part.
 *
 * @param words those after `charnn`
 */
export async function suggest(program: Command, words: readonly string[]): Promise<Suggestions> {
  const before = words.slice(0, -1);
  const typed = words.at(-1) ?? "";
  const { command, operands, open, isAfterDashes, out } = readWords(program, before);
  const [, name, value = ""] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? [];
  const inline = command.options.find(({ long }) => long === name);
  if (inline && !isAfterDashes) return startingWith(await valuesOf(inline, out), value);
  if (open?.required && (!open.variadic || !typed.startsWith("-"))) {
    return startingWith(await valuesOf(open, out), typed);
  }
  if (typed.startsWith("-") && !isAfterDashes) return startingWith(optionsOf(command), typed);
  const own = operands === 0 ? commandsOf(command) : NOTHING;
  const argument = argumentAt(command, operands);
  const more = argument ? await operandsFor(argument, out) : NOTHING;
  const all = { values: [...own.values, ...more.values], files: more.files };
  return startingWith(all, typed);
}

/** What words before the one to complete say of it. */
interface Place {
  readonly command: Command;
  /** How many operands of the command there are. */
  readonly operands: number;
  /** The option whose value may come next. */
  readonly open: Option | undefined;
  readonly isAfterDashes: boolean;
  /** The folder of runs. */
  readonly out: string;
}

function readWords(program: Command, words: readonly string[]): Place {
  let command = program;
  let [operands, isAfterDashes] = [0, false];
  let open: Option | undefined;
  let out = process.env.CHARNN_DIR || RUNS_FOLDER;
  for (const word of words) {
    if (open && (!open.variadic || !word.startsWith("-"))) {
      if (open.long === "--out") out = word;
      if (!open.variadic) open = undefined;
    } else if (!isAfterDashes && word.startsWith("-")) {
      isAfterDashes = word === "--";
      const [name, value] = word.split("=", 2);
      const option = command.options.find(({ long, short }) => [long, short].includes(name));
      if (option?.long === "--out" && value !== undefined) out = value;
      open = option?.required && value === undefined ? option : undefined;
    } else {
      const own = operands === 0 && command.commands.find((it) => it.name() === word);
      if (own) command = own;
      else operands++;
    }
  }
  return { command, operands, open, isAfterDashes, out };
}

function startingWith({ values, files }: Suggestions, typed: string): Suggestions {
  const safe = values.filter(({ value }) => value.startsWith(typed) && SAFE.test(value));
  return { values: safe, files };
}

function commandsOf(command: Command): Suggestions {
  const values = command.commands.map((own) => {
    return { value: own.name(), description: own.summary() };
  });
  return { values, files: false };
}

function optionsOf(command: Command): Suggestions {
  const options = command.createHelp().visibleOptions(command);
  const all = [...new Set([...command.options.filter(({ hidden }) => !hidden), ...options])];
  const values = all.map(({ long, description }) => ({ value: `${long}`, description }));
  return { values, files: false };
}

async function valuesOf(option: Option, out: string): Promise<Suggestions> {
  const words = choicesOf(option);
  if (words.length > 0) return plain(words);
  return ofKind(pathKind(placeholderOf(option.flags)), out);
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const { registeredArguments: all } = command;
  return all[index] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
}

async function operandsFor(argument: Argument, out: string): Promise<Suggestions> {
  if (argument.name() === "shell") return plain(SHELLS);
  return ofKind(RUN_NAMES.has(argument.name()) ? "run" : pathKind(argument.name()), out);
}

async function ofKind(kind: ReturnType<typeof pathKind>, out: string): Promise<Suggestions> {
  if (kind === undefined) return NOTHING;
  if (kind !== "run") return FILES;
  const { runsIn } = await import("../../runs/all-runs.js");
  // A run may also be named by a path.
  return { ...plain((await runsIn(out)).map(({ folder }) => folder.name)), files: true };
}

function plain(words: readonly string[]): Suggestions {
  return { values: words.map((value) => ({ value, description: "" })), files: false };
}
