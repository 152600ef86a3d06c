/** Checks every path on the command line, in options and operands. */

import { lstat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { RUNS_FOLDER } from "../../config/names.js";
import { CharnnError, shortened } from "../../errors.js";
import { quoted } from "../../shell-words.js";
import { systemErrorCode } from "../../system-error-code.js";
import { expanded } from "./wildcards.js";

/** Something to read, a run, which may have a name in place of a path, or where to write. */
type PathKind = "input" | "run" | "output";

/** By the word that stands for the value in the help: `--seed-file <file>`. */
const KINDS: Readonly<Record<string, PathKind>> = {
  file: "input",
  files: "input",
  sample: "input",
  weights: "input",
  run: "run",
  runs: "run",
  folder: "output",
  page: "output",
  path: "output",
};
const HOME = /^~([^\\/]*)/;
const WILDCARD = /[*?]|\[[^\]]+\]|\{[^}]*,[^}]*\}/;
const WILDCARDS: Readonly<Record<PathKind, RegExp>> = {
  input: WILDCARD,
  run: WILDCARD,
  // A file to write may well have brackets in its name.
  output: /[*?]/,
};

/** A path on a command line. */
interface NamedPath {
  readonly kind: PathKind;
  /** What names it: `--out`; undefined for an operand. */
  readonly option: string | undefined;
  readonly path: string;
}

/**
 * Refuses paths of a command that can't be meant: with a `~` or a wildcard that no shell has expanded, and
 * inputs that can be read only once and are named twice. On Windows wildcards in the names of texts are expanded
 * before.
 *
 * @param config the file of options, which is read by now
 * @throws CharnnError `INVALID_SETTING`, or `NOT_FOUND` for what is not there
 */
export async function checkPaths(command: Command, config: string | undefined): Promise<void> {
  if (process.platform === "win32") await expandTexts(command);
  const paths = pathsOf(command, config);
  const out = String(command.opts().out ?? RUNS_FOLDER);
  for (const named of paths) await checkPath(named, out);
  const inputs = paths.filter(({ kind }) => kind === "input").map((named) => named.path);
  if (inputs.length < 2) return;
  const { checkNames } = await import("../../data/sources.js");
  await checkNames(inputs);
}

/** Puts what is found in the place of each wildcard, in operands and options that may name many texts. */
async function expandTexts(command: Command): Promise<void> {
  for (const option of command.options) {
    const name = option.attributeName();
    const values: unknown = command.opts()[name];
    if (pathKind(placeholderOf(option.flags)) !== "input" || !Array.isArray(values)) continue;
    const source = command.getOptionValueSource(name);
    command.setOptionValueWithSource(name, await expandedEach(values), source);
  }
  for (const [index, argument] of command.registeredArguments.entries()) {
    const values: unknown = command.processedArgs[index];
    if (pathKind(argument.name()) !== "input" || !Array.isArray(values)) continue;
    command.processedArgs[index] = await expandedEach(values);
  }
}

async function expandedEach(names: readonly string[]): Promise<string[]> {
  const found: string[][] = [];
  for (const name of names) {
    const files = (await isThere(name)) ? [] : await expanded(name);
    found.push(files.length > 0 ? files : [name]);
  }
  return found.flat();
}

/** The word that stands for an option's value in the help; undefined for an option without one. */
export function placeholderOf(flags: string): string | undefined {
  return /[<[]([^\]>.]+)(?:\.\.\.)?[\]>]/.exec(flags)?.[1];
}

/** What kind of path a placeholder stands for; undefined for what is no path. */
export function pathKind(placeholder: string | undefined): PathKind | undefined {
  return placeholder !== undefined && Object.hasOwn(KINDS, placeholder)
    ? KINDS[placeholder]
    : undefined;
}

function pathsOf(command: Command, config: string | undefined): NamedPath[] {
  const paths: NamedPath[] = [];
  const add = (kind: PathKind | undefined, option: string | undefined, value: unknown) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const it of values) {
      if (kind && typeof it === "string") paths.push({ kind, option, path: it });
    }
  };
  add("input", "--config", config);
  for (const option of command.options) {
    const value = command.opts()[option.attributeName()];
    add(pathKind(placeholderOf(option.flags)), option.long, value);
  }
  for (const [index, argument] of command.registeredArguments.entries()) {
    add(pathKind(argument.name()), undefined, command.processedArgs[index]);
  }
  return paths;
}

/**
 * Refuses a path that can't be meant.
 *
 * @param out the folder of runs
 * @throws CharnnError `INVALID_SETTING`, or `NOT_FOUND` for what is not there
 */
export async function checkPath(named: NamedPath, out: string): Promise<void> {
  refuseImpossible(named);
  await refuseUnexpanded(named, out);
}

/** Refuses a path that no file can have, such as that of a variable without a value. */
function refuseImpossible({ kind, option, path: file }: NamedPath): void {
  const what = option ?? (kind === "run" ? "The name of a run" : "The name of a file");
  if (file === "") {
    throw new CharnnError("INVALID_SETTING", `${what} must not be empty.`, "Give it a value.");
  }
  if (file.includes("\0")) {
    const shown = JSON.stringify(shortened(file));
    throw new CharnnError("INVALID_SETTING", `${what} ${shown} has a NUL character in it.`);
  }
}

/** Refuses a path with a `~` or a wildcard that no shell has expanded, unless something really has that name. */
async function refuseUnexpanded(
  { kind, option, path: file }: NamedPath,
  out: string,
): Promise<void> {
  const [, user] = HOME.exec(file) ?? [];
  const hasWildcard = WILDCARDS[kind].test(file);
  if (user === undefined && !hasWildcard) return;
  if (await isThere(user === undefined ? file : `~${user}`)) return;
  if (kind === "run" && (await isThere(path.join(out, file)))) return;
  const shown = JSON.stringify(file);
  const hint = user === undefined ? wildcardHint(kind, out) : homeHint(file, user);
  if (kind === "output") {
    const what = user === undefined ? "has a wildcard in it" : "begins with ~";
    const message = `${option} ${shown} ${what}, and no file or folder has that name.`;
    throw new CharnnError("INVALID_SETTING", message, hint);
  }
  const what = kind === "run" ? "run and no checkpoint" : "file or folder";
  throw new CharnnError("NOT_FOUND", `There is no ${what} ${shown}.`, hint);
}

function homeHint(file: string, user: string): string {
  const whole = user === "" ? quoted(path.join(homedir(), file.slice(1))) : "its whole path";
  return `Shells expand ~ only at the beginning of a word without quotes. Write ${whole}.`;
}

function wildcardHint(kind: PathKind, out: string): string {
  const reason =
    process.platform === "win32"
      ? "Wildcards work only for text files, in the last part of a path, and only if something matches."
      : "Shells expand wildcards only outside quotes, and only if something matches.";
  if (kind === "output") return `${reason} Write the whole name.`;
  if (kind === "input") return `${reason} To read all texts in a folder, name the folder.`;
  const list = ["charnn info", ...(out === RUNS_FOLDER ? [] : ["--out", quoted(out)])].join(" ");
  return `${reason} To list the runs: ${list}`;
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    // For anything else the command itself says why it can't be used.
    return !["ENOENT", "ENOTDIR", "ENAMETOOLONG", "EINVAL"].includes(systemErrorCode(error) ?? "");
  }
}
