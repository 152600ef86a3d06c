/** Completion in the real shells, and what they are told. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { charnn, EXECUTABLE, plainEnvironment, quoted } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";

const has = (shell: string) => spawnSync(shell, ["-c", "exit"]).status === 0;
const needs = (shell: string) => ({ skip: !has(shell) && `needs ${shell}` });

/** A folder with two runs, one of them with a name that a shell would obey, and a text. */
async function folderOfRuns(t: TestContext): Promise<string> {
  const cwd = await temporaryFolder(t);
  for (const name of ["night", "nightly", "$(touch broken)"]) {
    await mkdir(path.join(cwd, "checkpoints", name), { recursive: true });
    await writeFile(path.join(cwd, "checkpoints", name, "metrics.jsonl"), "");
  }
  await mkdir(path.join(cwd, "models", "other"), { recursive: true });
  await writeFile(path.join(cwd, "models", "other", "last.safetensors"), "");
  await writeFile(path.join(cwd, "book.txt"), "text");
  return cwd;
}

/** A folder with the program under its name, to be put into PATH. */
async function binFolder(t: TestContext): Promise<string> {
  const bin = await temporaryFolder(t);
  const program = `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(EXECUTABLE)} "$@"\n`;
  await writeFile(path.join(bin, "charnn"), program, { mode: 0o755 });
  return bin;
}

/** Runs a script of a shell in which `charnn` is in PATH. */
async function run(t: TestContext, cwd: string, shell: string, args: string[]): Promise<string> {
  const { PATH, ...env } = plainEnvironment();
  const { stdout, stderr } = spawnSync(shell, args, {
    cwd,
    env: { ...env, HOME: cwd, PATH: `${await binFolder(t)}${path.delimiter}${PATH}` },
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.ok(stdout.length > 0, stderr);
  return stdout;
}

slow("Commands, options, values and runs are suggested where they can stand", async (t) => {
  const cwd = await folderOfRuns(t);
  const suggested = async (...words: string[]) => {
    const { code, stdout, stderr } = await charnn(t, ["complete", "--", ...words], { cwd });
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    const directive = lines.pop();
    return [...lines.map((line) => line.split("\t")[0]), directive];
  };
  assert.deepEqual(await suggested("tra"), ["train", ":4"]);
  assert.ok((await suggested("")).includes("runs"));
  assert.deepEqual(await suggested("--ver"), ["--version", ":4"]);
  assert.deepEqual(await suggested("train", "book.txt", "--hidden"), ["--hidden-size", ":4"]);
  assert.deepEqual(await suggested("train", "--preset", ""), [
    ...["tiny", "small", "medium", "large", ":4"],
  ]);
  assert.deepEqual(await suggested("train", "--preset=t"), ["tiny", ":4"]);
  assert.deepEqual(await suggested("train", "--hidden-size", ""), [":4"]);
  assert.deepEqual(await suggested("train", ""), [":0"]);
  assert.deepEqual(await suggested("train", "--init-from", "nightl"), ["nightly", ":0"]);
  const both = async (...words: string[]) => (await suggested(...words)).sort();
  assert.deepEqual(await both("sample", ""), [":0", "night", "nightly"]);
  assert.deepEqual(await both("export", ""), [":0", "night", "nightly"]);
  assert.deepEqual(await suggested("export", "night", "--to", "on"), ["onnx", ":4"]);
  assert.deepEqual(await suggested("export", "night", "--output", ""), [":0"]);
  assert.deepEqual(await both("eval", "night", ""), [":0"]);
  assert.deepEqual(await both("eval", "night", "book.txt", "--also", "x", ""), [
    ...[":0", "night", "nightly"],
  ]);
  assert.deepEqual(await both("sample", "--out", "models", ""), [":0", "other"]);
  assert.deepEqual(await both("runs", "--out=models", "rm", ""), [":0", "other"]);
  assert.deepEqual(await both("runs", ""), [":4", "diff", "mv", "prune", "rm"]);
  assert.deepEqual(await both("complete", ""), [":4", "bash", "fish", "powershell", "zsh"]);
  assert.deepEqual(await suggested("nothing", ""), [":4"]);
});

test("Without a shell, or with one that charnn does not know, it says which there are", async (t) => {
  const unknown = await charnn(t, ["complete", "ksh"]);
  assert.deepEqual([unknown.code, unknown.stdout], [2, ""]);
  assert.match(unknown.stderr, /"ksh"\.\nName one of bash, zsh, fish, powershell\./);
  assert.equal((await charnn(t, ["complete"])).code, 2);
});

slow(
  "bash completes, and runs nothing of what was typed or is called so",
  needs("bash"),
  async (t) => {
    const cwd = await folderOfRuns(t);
    const script = `
    source <(charnn complete bash); source <(charnn complete bash)
    complete -p charnn
    try() {
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=1000 COMPREPLY=()
      __charnn_complete
      echo "[\${COMPREPLY[*]}]"
    }
    try charnn tra
    try charnn train --preset m
    try charnn sample n
    try charnn train '$(touch typed)' --ce
    try charnn train --preset = m
    try charnn train --preset =
    try charnn sample --backend = w --top
    try charnn train ''`;
    const out = await run(t, cwd, "bash", ["--norc", "-c", `exec 2> errors.txt; ${script}`]);
    const [registered, ...replies] = out.trimEnd().split("\n");
    assert.match(registered, /-o default .*charnn$/);
    assert.deepEqual(replies.slice(0, 2), ["[train]", "[medium]"]);
    assert.deepEqual(replies[2].slice(1, -1).split(/\s+/).sort(), ["night", "nightly"]);
    assert.deepEqual(replies.slice(3), [
      ...["[--cell]", "[medium]", "[tiny small medium large]", "[--top-k --top-p]", "[]"],
    ]);
    const names = await readdir(cwd);
    assert.ok(!names.includes("typed") && !names.includes("broken"), names.join(" "));
  },
);

slow("fish completes commands, values, runs and files", needs("fish"), async (t) => {
  const cwd = await folderOfRuns(t);
  const tried = ["tra", "train --preset m", "sample nightl", "train bo"].map(
    (words) => `complete -C ${quoted(`charnn ${words}`)}`,
  );
  const script = ["charnn complete fish | source", ...tried].join("; ");
  const out = await run(t, cwd, "fish", ["--no-config", "-c", script]);
  const words = out
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t")[0]);
  assert.deepEqual(words, ["train", "medium", "nightly", "book.txt"]);
});

for (const [shell, start] of [
  ["zsh", "PS1='> ' zsh -f"],
  ["bash", "PS1='> ' bash --norc --noprofile"],
] as const) {
  const skip = needs(shell).skip || withTmux.skip;
  slow(`On a terminal ${shell} completes commands, values, runs and files`, { skip }, async (t) => {
    const cwd = await folderOfRuns(t);
    const bin = await binFolder(t);
    const scriptOf = () => `stty echo; PATH=${quoted(bin)}:$PATH ${start}`;
    const screen = await openScreen(t, [], { cwd, columns: 100, scriptOf });
    await screen.shows(/^>/m);
    const setUp = shell === "zsh" ? "autoload -Uz compinit; compinit -u -D; " : "";
    for (const key of [`${setUp}source <(charnn complete ${shell}); echo re""ady`, "Enter"]) {
      screen.press(key);
    }
    await screen.shows(/^ready$/m);
    for (const [typed, completed] of [
      ["charnn tra", /> charnn train$/m],
      ["charnn train --pres", /> charnn train --preset$/m],
      ["charnn train --preset med", /> charnn train --preset medium$/m],
      ["charnn train --preset=med", /> charnn train --preset=medium$/m],
      ["charnn train bo", /> charnn train book\.txt$/m],
      ["charnn sample nightl", /> charnn sample nightly$/m],
    ] as const) {
      for (const key of ["C-u", typed, "Tab"]) screen.press(key);
      await screen.shows(completed);
    }
  });
}

slow("PowerShell completes commands, values and runs", needs("pwsh"), async (t) => {
  const cwd = await folderOfRuns(t);
  const tried = ["tra", "train --preset m", "sample nightl"].map((words) => {
    const line = `charnn ${words}`;
    return `(TabExpansion2 '${line}' ${line.length}).CompletionMatches.ListItemText`;
  });
  const script = ["charnn complete powershell | Out-String | Invoke-Expression", ...tried].join(
    "; ",
  );
  const out = await run(t, cwd, "pwsh", ["-NoProfile", "-Command", script]);
  assert.deepEqual(out.trimEnd().split(/\r?\n/), ["train", "medium", "nightly"]);
});
