/** A folder of more files than a call takes arguments. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, SMALL } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";

const FILES = 200_000;
/** Of other kinds, each of which a message counts. */
const OTHERS = 1_000;

test("a folder of 200,000 files is read by every command, with messages of a few lines", async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(path.join(cwd, "texts"));
  for (let k = 0; k < FILES; k += 1_000) {
    const write = (_: unknown, at: number) => {
      // One in a thousand has a byte that is wrong, and one a byte order mark.
      const odd = ["\xff", "\xef\xbb\xbf"][at] ?? "";
      const text = Buffer.from(`${odd}line ${k + at} of a text\n`, "latin1");
      return writeFile(path.join(cwd, "texts", `${k + at}.txt`), text);
    };
    await Promise.all(Array.from({ length: 1_000 }, write));
  }
  for (let k = 0; k < OTHERS; k++) await writeFile(path.join(cwd, "texts", `${k}.pdf`), "%PDF-1.7");

  const run = async (line: string, code = 0) => {
    const outcome = await charnn(t, line.split(" "), { cwd, timeout: 600_000 });
    assert.equal(outcome.code, code, `${line}: ${outcome.stderr}`);
    assert.doesNotMatch(outcome.stderr, /bug in charnn/);
    const lines = outcome.stderr.split("\n");
    assert.ok(lines.length < 30 && lines.every((it) => it.length < 700), outcome.stderr);
    return outcome;
  };
  const small = [...SMALL, "--quiet"].join(" ");
  const refused = await run(`train texts --name a ${small}`, 1);
  assert.match(refused.stderr, /"texts\/0\.txt" is not UTF-8: byte 0xFF at offset 0/);
  const trained = await run(`train texts --name a ${small} --invalid skip`);
  assert.match(trained.stderr, /1,000 files in "texts" left out: PDF/);
  assert.match(trained.stderr, /And 195 more such lines on other files/);
  assert.match(trained.stderr, /byte order mark .* and 199 more/);
  await run("train texts --invalid skip --resume --steps 6 --quiet");
  const sample = await run("sample a -n 50 --max-copy 30 --training-text texts --invalid skip");
  await writeFile(path.join(cwd, "sample.txt"), sample.stdout);
  await run("copies sample.txt texts --invalid skip");
  await run("eval a texts --invalid skip --no-baselines");
  await writeFile(path.join(cwd, "name.txt"), await readFile(path.join(cwd, "texts", "7.txt")));
  await run(
    "train name.txt texts --invalid skip --validation 0 --name b --quiet --hidden-size 8 --steps 1",
  );
});
