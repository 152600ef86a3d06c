import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const checks = new URL("../scripts/native/check-addon.js", import.meta.url);
const onLinux = process.platform === "linux" && process.arch === "x64";
const skip = !onLinux && "compares with files of Linux on x64";

/** What the check of packages has against a file as the addon for a platform. */
function faultsOf(platform: string, file: string): string[] {
  const call = `import { faultsOf } from ${JSON.stringify(checks)};
    console.log(JSON.stringify(faultsOf(...process.argv.slice(1))));`;
  const args = ["--input-type=module", "-e", call, platform, file];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

const compiled = (platform: string) => path.join(root, "native", "build", platform, "charnn.node");

test("A package is refused that needs libraries or symbols which not every system has", {
  skip,
}, () => {
  const faults = faultsOf("linux-x64-musl", process.execPath).join("\n");
  assert.match(faults, /^It needs libc\.so\.6, which not every system has\.$/m);
  assert.match(faults, /^It needs GLIBC_2\.\d+\.$/m);
  const wrong = faultsOf("darwin-arm64", process.execPath);
  assert.ok(wrong.includes("It is for x64 processors."));
  assert.ok(wrong.includes("It is no Mach-O file."));
  assert.ok(faultsOf("win32-x64", process.execPath).includes("It is no PE file."));
});

const names = ["linux-arm64", "linux-x64-musl", "linux-arm64-musl", "darwin-x64", "darwin-arm64"];
for (const name of [...names, "win32-x64", "win32-arm64"]) {
  const there = existsSync(compiled(name));
  test(`The addon for ${name} that was compiled here can be published, and not for another platform`, {
    skip: !there && "not compiled; run: npm run native:package -- --all",
  }, () => {
    assert.deepEqual(faultsOf(name, compiled(name)), []);
    const [os, cpu] = name.split("-");
    const otherCpu = cpu === "x64" ? "arm64" : "x64";
    assert.deepEqual(faultsOf(`${os}-${otherCpu}`, compiled(name)).slice(0, 1), [
      `It is for ${cpu} processors.`,
    ]);
  });
}

test("npm pack in a clone refuses, and says how the packages are made", () => {
  const { status, stderr } = spawnSync("npm", ["pack", "--dry-run"], {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  assert.notEqual(status, 0);
  assert.match(stderr, /npm run native:package -- --all/);
});

test("The package has each page of the documentation that its messages and help name", () => {
  const listed = execFileSync("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  const [{ files }] = JSON.parse(listed) as { files: { path: string }[] }[];
  const packed = new Set(files.map((file) => file.path));
  const sources = path.join(root, "src");
  const named = readdirSync(sources, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => readFileSync(path.join(sources, name), "utf8").match(/docs\/[\w-]+\.md/g))
    .filter((page) => page !== null);
  assert.ok(named.length > 3);
  assert.deepEqual(
    named.filter((page) => !packed.has(page)),
    [],
  );
});
