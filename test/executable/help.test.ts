/** What `--help` shows, and what it tells somebody who types something that charnn does not have. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { charnn } from "../helpers/executable.js";

const WRITE_DOCS = fileURLToPath(new URL("../../scripts/write-cli-docs.js", import.meta.url));

test("docs/cli.md has every help text as it is printed", async (t) => {
  // It asks for the help of each command, one after the other.
  const options = { program: WRITE_DOCS, timeout: 300_000 };
  const { code, stderr } = await charnn(t, ["--check"], options);
  assert.equal(code, 0, stderr);
});

test("the help of train has the options that most people use, and --help-all has all", async (t) => {
  const { stdout: short } = await charnn(t, ["train", "--help"]);
  const { code, stdout: all, stderr } = await charnn(t, ["train", "--help-all"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.ok(short.split("\n").length <= 30, short);
  const optionsIn = (help: string) => [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(String);
  const [common, complete] = [optionsIn(short), optionsIn(all)];
  assert.ok(common.length < 15 && complete.length > 50, `${common.length}, ${complete.length}`);
  for (const option of common) assert.ok(complete.includes(option), option);
  // Where there are few options the help has them all.
  const { stdout: info } = await charnn(t, ["info", "--help"]);
  assert.equal((await charnn(t, ["info", "--help-all"])).stdout, info);
});

test("every line of help begins with a verb or a noun, not with the end of a sentence", async () => {
  const page = await readFile(new URL("../../docs/cli.md", import.meta.url), "utf8");
  const lines = [...page.matchAll(/^ {2}(?:-\w, )?--[\w-]+(?: <\S+>)? {2,}(.*)/gm)];
  assert.ok(lines.length > 100, `${lines.length}`);
  for (const [line, help] of lines) assert.match(help, /^(?:[A-Z]|lines: )/, line);
});

test("what people type for the version and for help is understood", async (t) => {
  const { stdout: version } = await charnn(t, ["--version"]);
  for (const word of ["-v", "-V", "version"]) {
    const { code, stdout } = await charnn(t, [word]);
    assert.deepEqual([code, stdout], [0, version], word);
  }
  const { stdout: help } = await charnn(t, ["train", "--help"]);
  assert.equal((await charnn(t, ["help", "train"])).stdout, help);
});

test("a word that charnn does not have is answered by the nearest one, by charnn's way, or by the help", async (t) => {
  const cases: [line: string, hint: RegExp][] = [
    ["train f.txt --sample-evry 5", /^Did you mean --sample-every\?$/m],
    ["train f.txt --sampling-evry 5", /charnn train --help/],
    ["train f.txt --eval-evry 5", /^Did you mean --eval-every\?$/m],
    ["train f.txt --seed 3", /--random-seed/],
    ["train f.txt --yes", /charnn train --help/],
    ["train f.txt --data_dir=data", /charnn train book\.txt/],
    ["train f.txt --device cuda", /--backend/],
    ["train f.txt --lr_decay_iters 5", /--schedule/],
    ["sample --model night", /charnn sample night/],
    ["info --sort loss", /charnn info --help/],
    ["tran f.txt", /^Did you mean charnn train\?$/m],
    ["generate", /^Did you mean charnn sample\?$/m],
    ["exprt", /^Did you mean charnn export\?$/m],
    ["save", /charnn --help/],
    ["train", /For example: charnn train book\.txt/],
  ];
  for (const [line, hint] of cases) {
    const { code, stdout, stderr } = await charnn(t, line.split(" "));
    assert.deepEqual([code, stdout], [2, ""], line);
    assert.match(stderr, hint, `${line}\n${stderr}`);
    assert.ok((stderr.match(/Did you mean/g) ?? []).length <= 1, stderr);
  }
});

test("options of other programs that mean the same are understood", async (t) => {
  for (const line of ["train nosuch.txt --n_embd 8 --rnn_layers 2 --num_epochs 1"]) {
    const { code, stderr } = await charnn(t, line.split(" "));
    assert.equal(code, 1, stderr);
    assert.match(stderr, /There is no file or folder "nosuch\.txt"/);
  }
});
