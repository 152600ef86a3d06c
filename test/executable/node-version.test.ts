import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, EXECUTABLE } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";

const PACKAGE = path.join(path.dirname(EXECUTABLE), "..", "package.json");

slow("a Node.js that is too old is refused in one line, before anything is loaded", async (t) => {
  const { engines } = JSON.parse(await readFile(PACKAGE, "utf8"));
  const [, needed] = /^>=(\d+\.\d+\.0)$/.exec(engines.node) ?? [];
  assert.ok(needed, "a version that can be compared");
  const cwd = await temporaryFolder(t);
  const preloaded = path.join(cwd, "pretend.cjs");
  const [major, minor] = needed.split(".").map(Number);
  const versions: [version: string, isTooOld: boolean][] = [
    ["12.22.12", true],
    [`${major - 2}.20.8`, true],
    [`${major}.${minor - 1}.9`, true],
    [`${major}.${minor}.0`, false],
    [`${major}.${minor + 7}.1`, false],
    [`${major + 1}.0.0`, false],
  ];
  for (const [version, isTooOld] of versions) {
    const value = `{ ...process.versions, node: "${version}" }`;
    await writeFile(preloaded, `Object.defineProperty(process, "versions", { value: ${value} });`);
    const env = { NODE_OPTIONS: `--require=${preloaded}` };
    const { code, stdout, stderr } = await charnn(t, ["info"], { cwd, env });
    assert.deepEqual([code, stdout], [isTooOld ? 1 : 0, ""], stderr);
    const says = `Error: charnn needs Node.js ${needed} or newer; this is Node.js ${version}, at ${process.execPath}.\n`;
    if (isTooOld) assert.equal(stderr, says);
    else assert.doesNotMatch(stderr, /Error/);
  }
});

test("the executable's first file needs nothing that an old Node.js lacks", async () => {
  const text = await readFile(EXECUTABLE, "utf8");
  // These are linked, or read, before the first line runs; an old Node.js then says what it can't read.
  assert.doesNotMatch(
    text,
    /^\s*(import|export)\s(?!\()|\bawait\b|\brequire\(|\?\.|\?\?|import\.meta/m,
  );
});
