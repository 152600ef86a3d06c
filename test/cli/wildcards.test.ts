import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { Command } from "commander";
import { checkPaths } from "#src/cli/options/paths.js";
import { expanded } from "#src/cli/options/wildcards.js";
import { failsWith } from "../helpers/failure.js";
import { playSystem } from "../helpers/fake-system.js";
import { temporaryFolder } from "../helpers/folder.js";

const FILES = ["b.txt", "A.TXT", "c.md", ".hidden.txt", "a+b(1).txt", "é.txt", "ab.txt", "😀.txt"];

test("A wildcard stands for the names in one folder that match, in upper or lower case", async (t) => {
  const folder = path.join(await temporaryFolder(t), "texts");
  await mkdir(path.join(folder, "x.txt.d"), { recursive: true });
  for (const name of FILES) await writeFile(path.join(folder, name), "text");
  for (const [pattern, names] of [
    ["*.txt", ["A.TXT", "a+b(1).txt", "ab.txt", "b.txt", "é.txt", "😀.txt"]],
    ["?.txt", ["A.TXT", "b.txt", "é.txt", "😀.txt"]],
    ["A?.*", ["ab.txt"]],
    ["a+b(*).txt", ["a+b(1).txt"]],
    [".*.txt", [".hidden.txt"]],
    ["*.none", []],
    ["b.txt", []],
    ["*/x*", []],
  ] as const) {
    const found = await expanded(path.join(folder, pattern));
    assert.deepEqual(
      found,
      names.map((name) => path.join(folder, name)),
      pattern,
    );
  }
});

test("On Windows, where no shell does it, wildcards for texts are expanded in operands and in options", async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of FILES) await writeFile(path.join(folder, name), "text");
  const read = async (...args: readonly string[]) => {
    const command = new Command("sample")
      .argument("[files...]")
      .option("--training-text <files...>", "")
      .option("--seed-file <file>", "")
      .action(() => {});
    await command.parseAsync(args, { from: "user" });
    await checkPaths(command, undefined);
    return { files: command.processedArgs[0], ...command.opts() };
  };
  const at = (name: string) => path.join(folder, name);
  playSystem(t, "linux");
  await assert.rejects(read(at("*.md")), failsWith("NOT_FOUND", "wildcards only outside quotes"));
  playSystem(t, "win32");
  const found = ["A.TXT", "b.txt", "é.txt", "😀.txt"].map(at);
  assert.deepEqual(await read(at("?.txt"), "--training-text", at("*.md"), at("b.txt")), {
    files: found,
    trainingText: [at("c.md"), at("b.txt")],
  });
  await assert.rejects(read(at("*.none")), failsWith("NOT_FOUND", "only if something matches"));
  await assert.rejects(read("--seed-file", at("*.md")), failsWith("NOT_FOUND", "*.md"));
});
