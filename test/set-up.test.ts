/** What `npm ci`, `npm link` and `npx` run in a clone, with stand-ins for the compilers. */
import assert from "node:assert/strict";
import { cp, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { type Clone, clone } from "./helpers/clone.js";
import { filesIn } from "./helpers/executable.js";
import { temporaryFolder } from "./helpers/folder.js";

const posix = {
  skip: process.platform === "win32" && "the compiler of these tests is a script of sh",
};
const ADDON = `native/build/${process.platform}-${process.arch}/charnn.node`;

/** Which compilers a set-up calls, each once. */
async function called(it: Clone, folder?: string): Promise<string[]> {
  const { code, stderr } = await it.setUp({ folder });
  assert.equal(code, 0, stderr);
  return [...new Set(await it.calls())];
}

const LEFT_OUT =
  "npm left out the development dependencies, which compile it. Run: npm ci --include=dev\n";
const ALL = "tsc --build --force";
const CHANGED = "tsc --build";

test("A fresh clone is compiled, and its example text written", posix, async (t) => {
  const it = await clone(t);
  const { code, stderr } = await it.setUp();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Compiling charnn\nCompiling the kernels by g\+\+, .*\n$/);
  assert.deepEqual([...new Set(await it.calls())], [ALL, "g++"]);
  assert.match(await it.read(ADDON), /^by \/.*g\+\+ 12\.2\.0\n$/);
  assert.match(await it.read("data/shakespeare.txt"), /^From fairest creatures/);
});

test("A clone that is set up, or a copy of it, is left as it is", posix, async (t) => {
  const it = await clone(t);
  await called(it);
  const copy = path.join(await temporaryFolder(t), "copy");
  await cp(it.folder, copy, { recursive: true });
  for (const folder of [it.folder, copy]) {
    const before = await filesIn(folder);
    const { code, stdout, stderr } = await it.setUp({ folder });
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
    assert.deepEqual(await it.calls(), []);
    assert.deepEqual(await filesIn(folder), before);
  }
});

test("Only what has other sources is compiled again", posix, async (t) => {
  const it = await clone(t);
  await called(it);
  const changes: [name: string, content: string, calls: string[]][] = [
    ["src/cli/main.ts", "export const main = () => 1;\n", [CHANGED]],
    ["native/inline.h", "int y;\n", ["g++"]],
    ["native/linalg/new.h", "int z;\n", ["g++"]],
    ["node_modules/node-api-headers/include/node_api.h", "int z;\n", ["g++"]],
    ["node_modules/typescript/package.json", '{ "version": "5.0.1" }\n', [ALL]],
    ["native/test/main.cc", "int y;\n", []],
    ["README.md", "# Another\n", []],
  ];
  for (const [name, content, calls] of changes) {
    await it.write(name, content);
    assert.deepEqual(await called(it), calls, name);
    assert.deepEqual(await called(it), [], name);
  }
  assert.match(await it.read("dist/cli/main.js"), /=> 1/);
});

test(
  "Sources that are as before are compiled again where others were compiled in between",
  posix,
  async (t) => {
    const it = await clone(t);
    await called(it);
    const [main, header] = [await it.read("src/cli/main.ts"), await it.read("native/inline.h")];
    await it.write("src/cli/main.ts", "export const main = () => 1;\n");
    await it.write("native/inline.h", "int y;\n");
    assert.deepEqual(await called(it), [CHANGED, "g++"]);
    await it.write("src/cli/main.ts", main);
    await it.write("native/inline.h", header);
    assert.deepEqual(await called(it), [CHANGED, "g++"]);
    assert.equal(await it.read("dist/cli/main.js"), main);
  },
);

test("Another compiler, and another version of it, compile the kernels again", posix, async (t) => {
  const it = await clone(t);
  await called(it);
  await it.useCompiler("13.1.0");
  assert.deepEqual(await called(it), ["g++"]);
  assert.match(await it.read(ADDON), / 13\.1\.0\n$/);
  assert.deepEqual(await called(it), []);
});

test("What is set up stays so where the compilers and headers are gone", posix, async (t) => {
  const it = await clone(t);
  await called(it);
  await it.useCompiler(undefined);
  await it.remove("node_modules");
  const { code, stdout } = await it.setUp();
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "" });
  assert.deepEqual(await it.calls(), []);
});

test("What is damaged, lost or was left half done is made again", posix, async (t) => {
  const it = await clone(t);
  await called(it);
  const at = (name: string) => path.join(it.folder, name);
  const damages: [what: string, damage: () => Promise<void>, calls: string[]][] = [
    ["a part of a compiled file", () => truncate(at("dist/cli/main.js"), 5), [ALL]],
    ["a compiled file", () => it.remove("dist/cli/main.js"), [ALL]],
    ["the program", () => it.remove("dist"), [ALL]],
    ["a part of the program's stamp", () => truncate(at("dist/set-up.stamp"), 5), [ALL]],
    ["a part of the addon", () => truncate(at(ADDON), 5), ["g++"]],
    ["the addon", () => it.remove(ADDON), ["g++"]],
    ["the addon's stamp", () => writeFile(at(`${ADDON}.stamp`), "null"), ["g++"]],
    ["the example text", () => truncate(at("data/shakespeare.txt"), 5), []],
  ];
  const whole = await filesIn(it.folder);
  for (const [what, damage, calls] of damages) {
    await damage();
    assert.deepEqual(await called(it), calls, what);
    const now = await filesIn(it.folder);
    for (const files of [now, whole]) files.delete("dist/build.tsbuildinfo");
    assert.deepEqual(now, whole, what);
  }
});

test("A compiled file that is lost is made again where sources changed too", posix, async (t) => {
  const it = await clone(t);
  await called(it);
  await it.remove("dist/data-folder.js");
  await it.write("src/cli/main.ts", "export const main = () => 1;\n");
  assert.deepEqual(await called(it), [ALL]);
});

test(
  "A mistake in the sources fails the set-up, and the next one compiles again",
  posix,
  async (t) => {
    const it = await clone(t);
    await called(it);
    const main = await it.read("src/cli/main.ts");
    await it.write("src/cli/main.ts", "a mistake\n");
    assert.equal((await it.setUp()).code, 1);
    assert.deepEqual(await it.calls(), [CHANGED]);
    await it.write("src/cli/main.ts", main);
    assert.deepEqual(await called(it), [ALL]);
  },
);

test("Without what compiles it one line says what to run, and npm goes on", posix, async (t) => {
  const it = await clone(t);
  // npm may keep TypeScript, which another package can use.
  for (const missing of ["node_modules/@types/node", "node_modules"]) {
    await it.remove(missing);
    const { code, stdout, stderr } = await it.setUp();
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "" });
    assert.equal(stderr, `charnn is not compiled: ${LEFT_OUT}`);
    assert.deepEqual(await it.calls(), []);
  }
});

test("A program of other sources that can't be compiled is named as such", posix, async (t) => {
  const it = await clone(t);
  await called(it);
  await it.remove("node_modules/typescript");
  await it.write("src/cli/main.ts", "export const main = () => 1;\n");
  const { code, stderr } = await it.setUp();
  assert.equal(code, 0);
  assert.equal(stderr, `charnn is compiled from other sources: ${LEFT_OUT}`);
});

test("Without a C++ compiler the rest is set up, and a line says what helps", posix, async (t) => {
  const it = await clone(t);
  await it.useCompiler(undefined);
  const { code, stderr } = await it.setUp();
  assert.equal(code, 0);
  assert.equal(
    stderr,
    "Compiling charnn\n" +
      "The native backend was not built: there is no C++ compiler. charnn works without it, slower. " +
      "This gets one: node bin/charnn.js doctor --install-compiler\n",
  );
  assert.match(await it.read("data/shakespeare.txt"), /^From fairest creatures/);
});

test(
  "A Node.js that is too old is refused in one line, and nothing is compiled",
  posix,
  async (t) => {
    const it = await clone(t);
    const { engines } = JSON.parse(await it.read("package.json"));
    const value = '{ ...process.versions, node: "18.20.8" }';
    await it.write("old.cjs", `Object.defineProperty(process, "versions", { value: ${value} });`);
    const env = { NODE_OPTIONS: `--require=${path.join(it.folder, "old.cjs")}` };
    const { code, stderr } = await it.setUp({ env });
    assert.equal(code, 0);
    assert.equal(
      stderr,
      `charnn was not set up: it needs Node.js ${engines.node.slice(2)} or newer, and this is Node.js ` +
        "18.20.8. Install a newer one (https://nodejs.org), then run: npm ci\n",
    );
    assert.deepEqual(await it.calls(), []);
  },
);
