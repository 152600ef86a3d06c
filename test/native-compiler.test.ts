import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "./helpers/folder.js";

const source = new URL("../scripts/native/compiler.js", import.meta.url);
const posix = {
  skip: process.platform === "win32" && "the programs of these tests are scripts of sh",
};

const gcc = (version: string) =>
  `g++ (Debian ${version}-14) ${version}\nCopyright (C) 2022 Free Software Foundation, Inc.`;
const clang = (version: string) => `Debian clang version ${version}\nTarget: x86_64-pc-linux-gnu`;

/**
 * The compiler that is found where these programs are all that there are.
 *
 * @param programs what each prints of its version
 * @param more variables
 */
async function found(t: TestContext, programs: Record<string, string>, more = {}) {
  const [folder, data] = [await temporaryFolder(t), await temporaryFolder(t)];
  await symlink("/bin/sh", path.join(folder, "sh"));
  for (const [name, text] of Object.entries(programs)) {
    const script = `#!/bin/sh\nprintf '%s\\n' '${text}'\n`;
    await writeFile(path.join(folder, name), script, { mode: 0o755 });
  }
  const call = `import { findCompiler } from ${JSON.stringify(source)};
    console.log((await findCompiler()).command.join(" "));`;
  const args = ["--input-type=module", "-e", call];
  const env = { PATH: folder, XDG_DATA_HOME: data, ...more };
  return execFileSync(process.execPath, args, { encoding: "utf8", env }).trim();
}

test("Of several compilers the fastest that was measured is taken", posix, async (t) => {
  const both = { "g++": gcc("12.2.0"), "clang++": clang("14.0.6"), "c++": clang("14.0.6") };
  assert.equal(await found(t, both), "g++");
  assert.equal(await found(t, { ...both, "g++": gcc("13.3.0") }), "g++");
  assert.equal(await found(t, { ...both, "g++": gcc("9.4.0") }), "clang++");
  assert.equal(await found(t, { ...both, "g++": clang("17.0.6") }), "g++");
  assert.equal(await found(t, { "clang++": clang("14.0.6"), "c++": gcc("12.2.0") }), "c++");
});

test("A compiler that was not measured is taken where there is no other", posix, async (t) => {
  assert.equal(await found(t, { "g++": gcc("9.4.0"), "clang++": clang("11.0.1") }), "g++");
  assert.equal(await found(t, { "c++": "Some compiler, version 3" }), "c++");
  assert.equal(await found(t, { "c++": "Some compiler, version 3", python3: "3.11" }), "c++");
  assert.equal(await found(t, { python3: "0.17.1" }), "python3 -m ziglang c++");
});

test("CXX has the last word", posix, async (t) => {
  const both = { "g++": gcc("12.2.0"), "clang++": clang("14.0.6") };
  assert.equal(await found(t, both, { CXX: "clang++" }), "clang++");
  assert.equal(await found(t, { ...both, old: gcc("9.4.0") }, { CXX: "old" }), "old");
});
