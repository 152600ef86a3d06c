import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { checkOutput, type OutputFile, writeOutput } from "#src/files/output-file.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { isWindows, noLinks, noPosix } from "../helpers/system.js";

const MARKER = "<made by charnn>";
const NEW = Buffer.from(`${MARKER} the new one`);

async function place(t: TestContext) {
  const folder = await temporaryFolder(t);
  const at = (name: string) => path.join(folder, name);
  const output = (name: string, rest: Partial<OutputFile> = {}): OutputFile => {
    return {
      path: at(name),
      inputs: [at("text")],
      marker: MARKER,
      overwrite: false,
      endings: [".page", ".pg"],
      ...rest,
    };
  };
  await writeFile(at("text"), `${MARKER} the text`);
  return { folder, at, output };
}

async function assertRefused(output: OutputFile, ...says: readonly (string | RegExp)[]) {
  await assert.rejects(checkOutput(output), failsWith("NOT_WRITABLE", output.path, ...says));
  await assert.rejects(writeOutput(output, NEW), failsWith("NOT_WRITABLE", ...says));
}

test("An output file is created, and replaces an earlier one of charnn or an empty file", async (t) => {
  const { folder, at, output } = await place(t);
  await writeFile(at("old"), `${MARKER} the old one`);
  await chmod(at("old"), 0o600);
  await writeFile(at("empty"), "");
  for (const name of ["new", "old", "empty"]) {
    await checkOutput(output(name));
    await writeOutput(output(name), NEW);
    assert.deepEqual(await readFile(at(name)), NEW);
  }
  if (!isWindows) assert.equal((await stat(at("old"))).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(folder)).sort(), ["empty", "new", "old", "text"]);
});

test("An output file never replaces a file that it is made from, under any name or link", {
  skip: noLinks,
}, async (t) => {
  const { folder, at, output } = await place(t);
  const text = await readFile(at("text"), "utf8");
  await link(at("text"), at("hard"));
  await symlink("text", at("soft"));
  await mkdir(at("folder"));
  await link(at("text"), at("hard.page"));
  for (const overwrite of [false, true]) {
    for (const name of ["text", "hard", "hard.page", "soft", "folder/../text"]) {
      await assertRefused(output(name, { overwrite }), "which is read", /`output`\.$/);
    }
    const inputs = [at("none"), "-", at("hard")];
    await assertRefused(output("text", { inputs, overwrite }), "which is read");
  }
  assert.equal(await readFile(at("text"), "utf8"), text);
  assert.equal((await readdir(folder)).length, 5);
});

test("An output file replaces a file that charnn did not make only with `overwrite`", async (t) => {
  const { at, output } = await place(t);
  await writeFile(at("notes.page"), "notes");
  // Too far from the beginning.
  await writeFile(at("quotes.PG"), `${"x".repeat(2_000)}${MARKER}`);
  for (const name of ["notes.page", "quotes.PG"]) {
    await assertRefused(output(name), "charnn did not make", "or add `overwrite`.");
    await writeOutput(output(name, { overwrite: true }), NEW);
    assert.deepEqual(await readFile(at(name)), NEW);
  }
});

test("An output file never replaces what may be a text, or a file of a run", async (t) => {
  const { folder, at, output } = await place(t);
  const checkpoint = `        {"__metadata__":{"format":"\\"charnn-1\\"","config":"{}"}}`;
  await mkdir(at("texts/more"), { recursive: true });
  for (const [name, content, inputs, says] of [
    ["corpus", "Once upon a time", [], "charnn did not make"],
    ["book.txt", "Once upon a time", [], "charnn did not make"],
    ["page.md", "Once upon a time", [], "charnn did not make"],
    ["best.safetensors", checkpoint, [], "it would replace a checkpoint"],
    ["copy.page", checkpoint, [], "it would replace a checkpoint"],
    ["metrics.page", '{"event":"run","step":0}', [], "it would replace the metrics of a run"],
    ["texts/more/a.page", "Once upon a time", [at("texts")], "which are read"],
  ] as const) {
    await writeFile(at(name), content);
    for (const overwrite of [false, true]) {
      await assertRefused(output(name, { overwrite, inputs }), says, /^Choose another file .*\.$/m);
      assert.equal(await readFile(at(name), "utf8"), content);
    }
  }
  await assert.rejects(checkOutput(output("corpus")), failsWith("NOT_WRITABLE", /`output`\.$/));
  await assert.rejects(
    checkOutput(output("corpus", { overwrite: true })),
    failsWith(
      "NOT_WRITABLE",
      /: `overwrite` replaces only files whose names end in \.page or \.pg\.$/,
    ),
  );
  // Beside the texts that are read, a page is nothing that is read.
  await writeOutput(output("new.page", { inputs: [folder] }), NEW);
  await writeOutput(output("new.page", { inputs: [folder] }), NEW);
});

test("An output file is written where a link leads, and the link stays", {
  skip: noLinks,
}, async (t) => {
  const { at, output } = await place(t);
  await mkdir(at("folder"));
  await writeFile(at("folder/page"), MARKER);
  await symlink(path.join("folder", "page"), at("link"));
  await writeOutput(output("link"), NEW);
  assert.ok((await lstat(at("link"))).isSymbolicLink());
  assert.deepEqual(await readFile(at("folder/page")), NEW);
  await symlink("nowhere", at("lost"));
  await assertRefused(output("lost"), "leads nowhere");
});

test("An output file can't be a folder, or lie in one that does not exist", {
  skip: noLinks,
}, async (t) => {
  const { at, output } = await place(t);
  await mkdir(at("folder"));
  await assertRefused(output("folder", { overwrite: true }), "it is a folder");
  await assert.rejects(
    writeOutput(output("none/page"), NEW),
    failsWith("NOT_WRITABLE", "there is no folder for it", "`output`"),
  );
  await assertRefused(output("text/page"), "a part of the path is a file", "`output`");
});

test("An output file can be a device or a pipe, which stay what they are", {
  skip: noPosix,
}, async (t) => {
  const { at, output } = await place(t);
  await writeOutput(output("null", { path: "/dev/null" }), NEW);
  assert.ok((await stat("/dev/null")).isCharacterDevice());
  execFileSync("mkfifo", [at("pipe")]);
  const [read] = await Promise.all([readFile(at("pipe")), writeOutput(output("pipe"), NEW)]);
  assert.deepEqual(read, NEW);
  assert.ok((await stat(at("pipe"))).isFIFO());
});

test("An output file is written without what a killed process left beside it, which is removed", async (t) => {
  const { folder, at, output } = await place(t);
  const [old, young] = [".page.0123456789abcdef.tmp", ".page.fedcba9876543210.tmp"];
  for (const name of [old, young]) await writeFile(at(name), "half");
  await utimes(at(old), new Date(0), new Date(0));
  await writeOutput(output("page"), NEW);
  assert.deepEqual((await readdir(folder)).sort(), [young, "page", "text"].sort());
});
