import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { TrainOptions } from "#src/cli/commands/train.js";
import { resumeCommand } from "#src/cli/resume-command.js";
import { quoted, quotedForWindows } from "#src/shell-words.js";
import { playSystem } from "../helpers/fake-system.js";
import fc from "../helpers/fast-check.js";
import { noShell } from "../helpers/system.js";

const FILES = ["a b.txt", "c"];

test("The command that resumes a run names its text and its folder, and all that the checkpoint does not keep", (t) => {
  playSystem(t, "linux");
  const options: TrainOptions = {
    ...{ out: "runs", tensorboard: true, steps: 9, keep: 3, saveEvery: 40, threads: 2 },
    ...{ backend: "cpu", encoding: "latin1", validationFile: "v.txt", hiddenSize: 8 },
    ...{ overwrite: true, initFrom: "other", maxTime: 60, randomSeed: 3, quiet: true },
  };
  assert.equal(
    resumeCommand("night", FILES, options).command,
    "charnn train 'a b.txt' c --out runs --tensorboard --keep 3 --save-every 40 --threads 2 " +
      "--backend cpu --encoding latin1 --validation-file v.txt --quiet --name night --resume",
  );
});

test("The command that resumes a run names every file", () => {
  const files = Array.from({ length: 7 }, (_, k) => `${k}`);
  const { command } = resumeCommand("x", files, {});
  assert.equal(command, "charnn train 0 1 2 3 4 5 6 --name x --resume");
});

test("The command that resumes a run resumes every fold of a cross-validation, those that have not begun too", () => {
  const options = {
    crossValidate: 3,
    hiddenSize: 8,
    initFrom: "other",
    overwrite: true,
  } as const;
  const rest = "--cross-validate 3 --hidden-size 8 --init-from other";
  assert.equal(
    resumeCommand("fox-gru-1x8-fold-2", ["f"], options).command,
    `charnn train f ${rest} --name fox-gru-1x8 --resume`,
  );
  assert.equal(
    resumeCommand("my-fold-2-fold-2", ["f"], { ...options, name: "my-fold-2" }).command,
    `charnn train f ${rest} --name my-fold-2 --resume`,
  );
});

test("The command that resumes a run protects names that begin with a dash from being read as options", (t) => {
  playSystem(t, "linux");
  const { command } = resumeCommand("-n", ["-x.txt", "-"], { out: "--out" });
  assert.match(command, /^charnn train \.\/-x\.txt - --out=--out --name=-n --resume/);
});

test("The command that resumes a run says that a source that can be read only once has to be given again", (t) => {
  playSystem(t, "linux");
  const { command, needs } = resumeCommand("n", ["/dev/fd/63"], {});
  assert.equal(command.replace(/ < .*/, ""), "charnn train - --name n --resume");
  assert.match(needs ?? "", /the same text again, on standard input/);
});

const asRead = (words: readonly string[]) => {
  const line = `printf '%s\\0' ${words.map(quoted).join(" ")}`;
  const { stdout, stderr } = spawnSync("bash", ["-c", line], { encoding: "utf8" });
  assert.equal(stderr, "");
  return stdout.split("\0").slice(0, -1);
};

test("A quoted word is read by a shell as it was", { skip: noShell }, () => {
  const hard = ["", "a b", "it's", '"x"', "$HOME", "`id`", "!!", "a!b'!c\n!d", "~", "=ls", "-n"];
  const words = [
    ...hard,
    "a\\b",
    "*.txt",
    "[a]",
    "{a,b}",
    "#",
    "é日本",
    "\u202e'\\!\u{e0041}x",
    "\t",
  ];
  assert.deepEqual(asRead(words), words);
  const text = fc.string({ unit: "grapheme-composite" }).map((word) => word.replaceAll("\0", ""));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (some) => assert.deepEqual(asRead(some), some)),
    { numRuns: 20 },
  );
});

test("A quoted word has only characters that survive being pasted", (t) => {
  playSystem(t, "linux");
  for (const word of ["a\nb", "\u001b[5m", "\u202e!", "\u200b", "\u2028", "\t"]) {
    assert.match(quoted(word), /^\$'[\x20-\x7e]+'$/);
    assert.ok(!quoted(word).includes("!"));
  }
});

test("A quoted word is one word to cmd and PowerShell, or to PowerShell where they differ", () => {
  for (const [word, expected] of [
    ["fox.txt", "fox.txt"],
    ["C:\\texts\\fox.txt", "C:\\texts\\fox.txt"],
    ["texts\\", "texts\\"],
    ["", '""'],
    ["my texts\\fox.txt", '"my texts\\fox.txt"'],
    ["\\\\server\\my share\\", '"\\\\server\\my share\\\\"'],
    ["it's", '"it\'s"'],
    ["a&b", '"a&b"'],
    ["100%", '"100%"'],
    ["100:5,200:7", '"100:5,200:7"'],
    ["@x", '"@x"'],
    ["--out=-1.5", '"--out=-1.5"'],
    ["日本", "日本"],
    ["$HOME's", "'$HOME''s'"],
    ["a`b", "'a`b'"],
    ['say "x"', "'say \"x\"'"],
    ["a\u200b$b", '"a$([char]0x200b)`$b"'],
    ["\u{e0041}", '"$([char]0xdb40)$([char]0xdc41)"'],
  ]) {
    assert.equal(quotedForWindows(word), expected);
  }
});

/** The arguments of a program, as the C runtime of Windows divides its command line. */
function argumentsOnWindows(line: string): string[] {
  const words = line.matchAll(
    /(?:[^\s"\\]|\\+(?!")(?!\\)|"(?:[^"\\]|\\+(?!["\\])|(?:\\\\)+(?="))*")+/g,
  );
  return Array.from(words, ([word]) => {
    const inner = word.startsWith('"')
      ? word.slice(1, -1).replace(/\\+$/, (it) => it.slice(it.length / 2))
      : word;
    return inner;
  });
}

test("A quoted path is one argument to a program on Windows", () => {
  const paths = ["a b\\", "C:\\my dir\\", "\\\\host\\a b\\c", "x y", "C:\\fox.txt", "a&b\\\\"];
  assert.deepEqual(argumentsOnWindows(paths.map(quotedForWindows).join(" ")), paths);
});
