/** Every option and operand that takes a path is held to the same rules. */
import assert from "node:assert/strict";
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { pathKind, placeholderOf } from "#src/cli/options/paths.js";
import { createProgram } from "#src/cli/program.js";
import { parse } from "#src/cli/run.js";
import type { Interruption } from "#src/cli/terminal/signals.js";
import type { Terminal } from "#src/cli/terminal/terminal.js";
import { alone } from "#src/ranks/alone.js";
import { charnn, foxFolder, SMALL } from "../helpers/executable.js";
import { failsWith } from "../helpers/failure.js";
import { slow } from "../helpers/slow.js";
import { isWindows, noPosix, slashed } from "../helpers/system.js";

/** What stands for a value in the help and is no path. */
const NO_PATHS: ReadonlySet<string | undefined> = new Set([
  ...["n", "k", "t", "p", "x", "fraction", "rate", "size", "norm", "loss", "steps", "time"],
  ...[
    "seconds",
    "shell",
    // Of MPI: a path, or a name that the loader of the system finds.
    "library",
    "set",
    "shares",
    "regex",
    "word",
    "form",
    "format",
    "name",
    "kind",
    "what",
    "how",
    "text",
    "columns",
    "line",
    "rows",
    "step:steps,",
  ],
  undefined,
]);

const WILDCARDS = isWindows
  ? "Wildcards work only for text files"
  : "Shells expand wildcards only outside quotes";
const UNEXPANDED = [
  ["~/nosuch", `Write ${path.join(homedir(), "nosuch")}.`],
  ["~someone/x", "Write its whole path."],
  ["no*such", WILDCARDS],
  ["no?such", WILDCARDS],
] as const;

function newProgram(): Command {
  const interruption = { guard: async () => {} } as Interruption;
  return createProgram({ terminal: {} as Terminal, interruption, exitWith() {}, ranks: alone() });
}

function newCommands(): readonly Command[] {
  return newProgram().commands;
}

/** Reads a command line, and does nothing else. */
async function parsed(args: readonly string[]): Promise<void> {
  const program = newProgram();
  for (const command of program.commands) command.action(() => {});
  await parse(args, program);
}

/** What a command needs before a path can be what is wrong. */
const OPERANDS: Readonly<Record<string, readonly string[]>> = {
  train: ["fox.txt"],
  eval: ["fox", "fox.txt"],
  score: ["fox", "fox.txt"],
  next: ["fox", "The"],
  copies: ["fox.txt", "fox.txt"],
  import: ["fox.txt"],
};

/** Command lines in each of which one option or operand is a path. */
function linesWith(command: Command, file: string) {
  const name = command.name();
  const operands = OPERANDS[name] ?? [];
  const lines: { args: string[]; isOutput: boolean }[] = [];
  for (const { flags, long } of command.options) {
    const kind = pathKind(placeholderOf(flags));
    if (kind)
      lines.push({ args: [name, ...operands, `${long}=${file}`], isOutput: kind === "output" });
  }
  for (const [index, argument] of command.registeredArguments.entries()) {
    if (!pathKind(argument.name())) continue;
    const args = [name, ...operands.slice(0, index), file, ...operands.slice(index + 1)];
    lines.push({ args, isOutput: false });
  }
  return lines;
}

test("A path on the command line is recognized by its placeholder in the help", () => {
  let paths = 0;
  for (const command of newCommands()) {
    const words = [
      ...command.options.map(({ flags }) => placeholderOf(flags)),
      ...command.registeredArguments.map((argument) => argument.name()),
    ];
    for (const word of words) {
      if (pathKind(word)) paths++;
      else assert.ok(NO_PATHS.has(word), `<${word}> of ${command.name()}: is it a path?`);
    }
  }
  assert.ok(paths > 20);
});

for (const [file, cure] of UNEXPANDED) {
  test(`A path on the command line is refused as ${file}, which no shell has expanded`, async () => {
    const lines = newCommands().flatMap((command) => linesWith(command, file));
    assert.ok(lines.length > 20);
    for (const { args, isOutput } of lines) {
      const code = isOutput ? "INVALID_SETTING" : "NOT_FOUND";
      await assert.rejects(parsed(args), failsWith(code, JSON.stringify(file), cure), `${args}`);
    }
  });
}

for (const [file, says] of [
  ["", "empty"],
  ["a\0b", "NUL"],
] as const) {
  test(`A path on the command line is refused where it is ${JSON.stringify(file)}, as a variable or a file of options may be`, async () => {
    for (const { args } of newCommands().flatMap((command) => linesWith(command, file))) {
      await assert.rejects(parsed(args), failsWith("INVALID_SETTING", says), `${args}`);
    }
  });
}

test("A path on the command line is refused before any file or folder is made", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const before = (await readdir(cwd)).sort();
  for (const [args, code, says] of [
    [
      ["train", "~/fox.txt"],
      1,
      /no file or folder "~\/fox\.txt"[\s\S]* Write \/home\/me\/fox\.txt\./,
    ],
    [
      ["train", "fox.txt", "--out=~/runs"],
      2,
      /--out "~\/runs" begins with ~[\s\S]* Write \/home\/me\/runs\./,
    ],
    [["train", "fox.txt", "--config=*.json"], 1, /no file or folder "\*\.json"/],
    [["report", "fox", "-o", "*.html"], 2, /--output "\*\.html" has a wildcard/],
    [["info", "fo*"], 1, /no run and no checkpoint "fo\*"[\s\S]*To list the runs: charnn info\n/],
  ] as const) {
    const { stderr, ...outcome } = await charnn(t, args, {
      cwd,
      env: { HOME: "/home/me", USERPROFILE: "/home/me" },
    });
    assert.deepEqual([outcome.code, outcome.stdout], [code, ""], `${args}\n${stderr}`);
    assert.match(slashed(stderr), says);
  }
  assert.deepEqual((await readdir(cwd)).sort(), before);
});

slow(
  "A path on the command line is used as it stands where a file has that name",
  { skip: noPosix },
  async (t) => {
    const cwd = await foxFolder(t);
    for (const name of ["*.text", "~x", "a[1]{2}?.txt"]) {
      await copyFile(path.join(cwd, "fox.txt"), path.join(cwd, name));
    }
    await mkdir(path.join(cwd, "~"));
    await mkdir(path.join(cwd, "runs*"));
    for (const args of [
      ["train", "*.text", "~x", "a[1]{2}?.txt", "--out=~/runs", "--name=a"],
      ["train", "fox.txt", "--out=runs*", "--name=b[1]"],
      ["train", "fox.txt", "--out", "brackets [1]", "--name=c"],
    ]) {
      const { code, stderr } = await charnn(t, [...args, "--quiet", ...SMALL], { cwd });
      assert.equal(code, 0, stderr);
    }
    const { code, stderr } = await charnn(t, ["info", "b[1]", "--out=runs*"], { cwd });
    assert.equal(code, 0, stderr);
  },
);
