import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { copiedProgram } from "../helpers/copied-program.js";
import { charnn, outcomeOf, startCharnn } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";

const INSTALL = ["doctor", "--install-compiler", "--yes"];
const posix = {
  skip: process.platform === "win32" && "the programs of these tests are scripts of sh",
};

/** Variables by which `script`, lines of shell, is Python, and `data` the data folder. */
async function environment(t: TestContext, script: string) {
  const [programs, data] = [await temporaryFolder(t), await temporaryFolder(t)];
  await symlink("/bin/sh", path.join(programs, "sh"));
  await writeFile(path.join(programs, "python3"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: programs, XDG_DATA_HOME: data, XDG_CACHE_HOME: data };
}

/** What is in charnn's data folder. */
function leftIn({ XDG_DATA_HOME: data }: { readonly XDG_DATA_HOME: string }): string[] {
  const folder = path.join(data, "charnn");
  return existsSync(folder) ? readdirSync(folder) : [];
}

const HAS_PIP = 'case "$*" in *--version*) exit 0;; esac';

test("A compiler is not downloaded without consent", posix, async (t) => {
  const env = await environment(t, HAS_PIP);
  const { code, stdout, stderr } = await charnn(t, INSTALL.slice(0, 2), { env });
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  assert.equal(
    stderr,
    "The compiler, zig, is 101 MB to download and takes 440 MB in charnn's data folder.\n" +
      "Error: There is no terminal to ask on.\n" +
      "In a script, add --yes: charnn doctor --install-compiler --yes\n",
  );
  assert.deepEqual(leftIn(env), []);
});

test(
  "A compiler that pip can't get is an error, with the reason, and leaves nothing",
  posix,
  async (t) => {
    const cases: [script: string, says: RegExp][] = [
      ["exit 1", /: python3 with pip is missing\.\nInstall it \(apt-get install python3-pip\), or/],
      [
        `${HAS_PIP}; echo "ERROR: No matching distribution found" >&2; exit 1`,
        /: the kernels can't be compiled \(No matching distribution found\)\.\nIs there a network\?/,
      ],
    ];
    for (const [script, says] of cases) {
      const env = await environment(t, script);
      const { code, stdout, stderr } = await charnn(t, INSTALL, { env });
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" }, stderr);
      assert.match(stderr, /^Error: The compiler can't be installed: /m);
      assert.match(stderr, says);
      assert.deepEqual(leftIn(env), []);
    }
  },
);

test("A compiler that is being downloaded when a signal comes leaves nothing", posix, async (t) => {
  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    const env = await environment(t, `${HAS_PIP}; exec /bin/sleep 50`);
    const child = await startCharnn(t, INSTALL, { env });
    child.stderr.on("data", (bytes: Buffer) => {
      if (bytes.includes("Compiling")) child.kill(signal);
    });
    const { code, stdout, stderr } = await outcomeOf(child);
    assert.deepEqual({ code, stdout }, { code: expected, stdout: "" }, stderr);
    assert.match(stderr, /Stopping; nothing is left of it\.\n$/);
    assert.deepEqual(leftIn(env), []);
  }
});

test("A compiler is of no use outside a clone, and what helps there is said", async (t) => {
  const program = await copiedProgram(t);
  const { code, stderr } = await charnn(t, INSTALL, { program });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    "Error: The compiler can't be installed: only a clone of charnn has the sources of the kernels.\n" +
      "Install charnn again with --include=optional: it brings the kernels compiled.\n",
  );
});
