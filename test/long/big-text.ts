import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../helpers/folder.js";

const corpusModule = new URL("../../dist/data/corpus.js", import.meta.url).href;
const GIGABYTE = 1e9;

/** Reads the corpus in a process of its own, whose peak memory is then that of the reading. */
const READ = `
  const { loadCorpus } = await import(${JSON.stringify(corpusModule)});
  const corpus = await loadCorpus(
    { files: [process.argv[1]], validation: 0.1, test: 0, encoding: "utf-8" });
  const { train, validation } = corpus;
  console.log(JSON.stringify({
    characters: corpus.characters,
    bytes: train.tokens.byteLength + validation.tokens.byteLength,
    peak: process.resourceUsage().maxRSS * 1024,
  }));`;

test("a text of 1 GB is read in about 1 GB of memory", async (t) => {
  const file = path.join(await temporaryFolder(t), "big.txt");
  const line = Buffer.from("The quick brown fox jumps over the lazy dog, again and again.\n");
  const block = Buffer.concat(Array.from({ length: 100_000 }, () => line));
  const handle = openSync(file, "w");
  let written = 0;
  while (written < GIGABYTE) written += writeSync(handle, block);
  closeSync(handle);

  const output = execFileSync(process.execPath, ["--input-type=module", "-e", READ, file], {
    encoding: "utf8",
    cwd: path.dirname(fileURLToPath(import.meta.url)),
  });
  const { characters, bytes, peak } = JSON.parse(output);
  assert.equal(characters, written);
  assert.equal(bytes, written);
  assert.ok(peak < 1.25 * written, `the peak was ${peak} bytes`);
});
