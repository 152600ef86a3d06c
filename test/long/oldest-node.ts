/** The oldest Node.js that charnn says it runs on, and some that are older. */
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { EXECUTABLE, foxFolder } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";

const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"];
const PACKAGE = path.join(path.dirname(EXECUTABLE), "..", "package.json");
const NEEDED: string = JSON.parse(readFileSync(PACKAGE, "utf8")).engines.node.replace(">=", "");

/** The program of a Node.js from the registry; undefined where it can't be had. */
async function nodeOf(t: TestContext, version: string): Promise<string | undefined> {
  const folder = await temporaryFolder(t);
  const asked = spawnSync("npm", ["install", "--prefix", folder, `node@${version}`, ...QUIET]);
  return asked.status === 0 ? path.join(folder, "node_modules", "node", "bin", "node") : undefined;
}

for (const version of ["12", "14", "16", "18", "20.0.0", "20.2.0"]) {
  test(`Node.js ${version} is refused as too old`, async (t) => {
    const node = await nodeOf(t, version);
    if (node === undefined) return t.skip("it can't be had from the registry");
    const ended = spawnSync(node, [EXECUTABLE, "info"], { encoding: "utf8" });
    assert.deepEqual([ended.status, ended.stdout], [1, ""]);
    const says = `^Error: charnn needs Node\\.js ${NEEDED} or newer; this is Node\\.js ${version}.*\n$`;
    assert.match(ended.stderr, new RegExp(says));
  });
}

test(`Node.js ${NEEDED} is enough for every command`, async (t) => {
  const node = await nodeOf(t, NEEDED);
  if (node === undefined) return t.skip("it can't be had from the registry");
  const cwd = await foxFolder(t);
  const small = "--hidden-size 8 --steps 6 --eval-every 2 --threads 1";
  for (const line of [
    `train fox.txt --name fox --tensorboard --keep 1 ${small}`,
    "train fox.txt --name fox --resume --steps 9 --json",
    `train fox.txt --name lines --documents lines --validation-file fox.txt ${small}`,
    `train fox.txt --name folds --cross-validate 2 ${small}`,
    "train fox.txt --name wasm --backend wasm --init-from fox --steps 2",
    "sample fox -n 20 --random-seed 1",
    "sample fox -n 20 --random-seed 1 --max-copy 10 --training-text fox.txt --json",
    "eval fox fox.txt --dynamic --each",
    "score fox fox.txt --lines",
    "score fox fox.txt --also lines",
    "copies fox.txt fox.txt",
    "plot fox",
    "report fox --text fox.txt",
    "info",
    "info fox",
    "bench --hidden-size 8 --steps 2 --threads 1",
    "doctor --json",
  ]) {
    const args = [EXECUTABLE, ...line.split(" ")];
    const ended: SpawnSyncReturns<string> = spawnSync(node, args, { cwd, encoding: "utf8" });
    assert.equal(ended.status, 0, `${line}\n${ended.stderr}`);
    assert.notEqual(ended.stdout, "", line);
  }
  const piped = ["train", "-", "--name", "piped", ...small.split(" ")];
  const input = readFileSync(path.join(cwd, "fox.txt"));
  assert.equal(spawnSync(node, [EXECUTABLE, ...piped], { cwd, input }).status, 0);
});
