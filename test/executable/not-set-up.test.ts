import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { charnn, EXECUTABLE } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";

const ROOT = path.join(path.dirname(EXECUTABLE), "..");

/** A folder with the executable and these files. */
async function folderWith(t: TestContext, ...files: string[]) {
  const folder = await temporaryFolder(t);
  for (const name of ["bin", "package.json"]) {
    await cp(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  for (const name of files) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), "");
  }
  return { folder: `${folder}${path.sep}`, program: path.join(folder, "bin", "charnn.js") };
}

const CLONE = "scripts/set-up.js";
const { devDependencies } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
const INSTALLED = Object.keys(devDependencies).map((name) => `node_modules/${name}/package.json`);
/** Other packages need some of these too. */
const SOME = INSTALLED.filter((name) => !name.includes("cli-progress"));

test("A clone that is not compiled says in one line what to run", async (t) => {
  const cases: [files: string[], NODE_ENV: string, cure: string][] = [
    [[CLONE], "", "npm ci"],
    [[CLONE], "production", "npm ci --include=dev"],
    [[CLONE, "node_modules/commander/package.json"], "", "npm ci --include=dev"],
    [[CLONE, ...SOME], "", "npm ci --include=dev"],
    [[CLONE, ...INSTALLED], "", "npm run prepare"],
    [[CLONE, ...INSTALLED], "production", "npm run prepare"],
  ];
  for (const [files, NODE_ENV, cure] of cases) {
    const { folder, program } = await folderWith(t, ...files);
    for (const args of [["train", "data/shakespeare.txt"], ["--version"]]) {
      const { code, stdout, stderr } = await charnn(t, args, { program, env: { NODE_ENV } });
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
      const why = "charnn can't start: it is not compiled";
      assert.equal(stderr, `Error: ${why}. In ${folder}, run: ${cure}\n`);
    }
  }
});

test("A clone that is compiled, but whose packages are gone, says in one line what to run", async (t) => {
  const { folder, program } = await folderWith(t, CLONE);
  for (const name of ["dist", "native/wasm"]) {
    await cp(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  const { code, stderr } = await charnn(t, ["train", "data/shakespeare.txt"], { program });
  assert.equal(code, 1);
  const why = "charnn can't start: the packages that it needs are not installed";
  assert.equal(stderr, `Error: ${why}. In ${folder}, run: npm ci\n`);
});

test("An installed package that lacks a part says to install it again", async (t) => {
  const { program } = await folderWith(t);
  const { code, stderr } = await charnn(t, ["info"], { program });
  assert.equal(code, 1);
  assert.equal(stderr, "Error: charnn can't start: a part of it is missing. Install it again.\n");
});

test("A fault that is no missing file is shown with its stack", async (t) => {
  const { folder, program } = await folderWith(t);
  await mkdir(path.join(folder, "dist", "cli"), { recursive: true });
  await writeFile(path.join(folder, "dist/cli/main.js"), "export const main = () => null.x;\n");
  const { code, stderr } = await charnn(t, ["info"], { program });
  assert.equal(code, 1);
  assert.match(stderr, /TypeError: .*\n +at main/);
});
