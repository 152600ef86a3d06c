import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { charnn, foxFolder, jsonLines, sentences, shell } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { noShell } from "../helpers/system.js";
import { inventedText } from "../helpers/training.js";

test("copies finds what a sample has copied", async (t) => {
  const cwd = await foxFolder(t);
  const text = inventedText(3_000);
  await writeFile(path.join(cwd, "text.txt"), text);
  await writeFile(path.join(cwd, "sample.txt"), `ZZ\n${text.slice(1_000, 1_070)}ZZ\x1b[2J`);

  await t.test("as a description", async () => {
    const { code, stdout, stderr } = await charnn(t, ["copies", "sample.txt", "text.txt"], { cwd });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^longest shared run +7\d characters\n/);
    assert.match(
      stdout,
      /\nin the sample +line \d, column \d\nin the text +text\.txt, line \d+, column/,
    );
    assert.match(
      stdout,
      /\ncopied +\d\d\.\d\d %: 7\d of \d\d characters\ncopies +1 of 20 characters/,
    );
    assert.match(
      stdout,
      /\nThe copies, by line and column\n {2}characters +sample +text\n {2}7\d +\d:\d/,
    );
    assert.equal(stdout, stripVTControlCharacters(stdout));
  });

  await t.test("as an object", async () => {
    const args = ["copies", "-", "text.txt", "--at-least", "100", "--json"];
    const { stdout } = await charnn(t, args, { cwd, stdin: `Z${text.slice(200, 420)}Z` });
    const [found, ...others] = jsonLines(stdout);
    assert.deepEqual(others, []);
    assert.deepEqual([found.characters, found.atLeast, found.copied], [222, 100, 220]);
    assert.equal(found.copies[0].text, text.slice(200, 420));
    assert.equal(found.longest.length, 220);
  });

  await t.test("and refuses what can't be", async () => {
    for (const [args, code, said] of [
      [["sample.txt"], 2, /files/],
      [["sample.txt", "none.txt"], 1, /no file or folder "none.txt"/],
      [["sample.txt", "text.txt", "--at-least", "0"], 2, /--at-least|atLeast/],
    ] as const) {
      const outcome = await charnn(t, ["copies", ...args], { cwd });
      assert.deepEqual([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
      assert.match(outcome.stderr, said);
    }
  });
});

slow("sample --max-copy stops copying", { skip: noShell }, async (t) => {
  const cwd = await foxFolder(t);
  // Learned by heart: without a limit it writes nothing else.
  const train = ["train", "fox.txt", "--name", "fox", "--hidden-size", "32", "--steps", "150"];
  assert.equal((await charnn(t, train, { cwd })).code, 0);
  const longest = async (...options: string[]) => {
    const line = `charnn sample fox -n 400 ${options.join(" ")} | charnn copies - fox.txt --json`;
    const { code, stdout, stderr } = await shell(t, line, { cwd });
    assert.deepEqual([code, stderr], [0, ""]);
    return jsonLines(stdout)[0].longest.length;
  };
  assert.ok((await longest()) > 100);
  const guard = "--max-copy 12 --training-text fox.txt";
  for (const options of [
    "",
    "-t 0",
    "--top-k 3",
    "--top-p 0.5",
    `--seed '${sentences(1).slice(0, 30)}'`,
  ]) {
    const length = await longest(guard, options);
    const seeded = options.startsWith("--seed") ? 30 : 12;
    assert.ok(length <= seeded && length >= 8, `${length} with ${options}`);
  }
  for (const [options, said] of [
    [["--max-copy", "12"], /does not contain\.\n.*--training-text/],
    [["--training-text", "fox.txt"], /--max-copy/],
    [["--max-copy", "0", "--training-text", "fox.txt"], /max-copy|maxCopy/],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, ["sample", "fox", ...options], { cwd });
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, said);
  }
});
