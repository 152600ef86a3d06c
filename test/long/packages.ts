/** The published packages, installed as users install them: from the registry, without a compiler. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../helpers/folder.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"];

/** Where a command lies. */
function found(command: string): string {
  return execFileSync("sh", ["-c", `command -v ${command}`], { encoding: "utf8" }).trim();
}

function whyNot(): string | undefined {
  if (process.platform === "win32") return "npm and its shell are looked for as on Linux";
  const asked = spawnSync("npm", ["view", "node@24", "version", "--fetch-retries=0"]);
  return asked.status === 0 ? undefined : "the registry can't be reached";
}

test("the packages train natively where there is no compiler", { skip: whyNot() }, async (t) => {
  const folder = await temporaryFolder(t);
  const npm = (cwd: string, args: readonly string[], env = process.env) =>
    execFileSync("npm", [...args, ...QUIET], { cwd, env, encoding: "utf8" });

  const packages = path.join(folder, "packages");
  execFileSync(process.execPath, [path.join(root, "scripts", "package.js"), "--out", packages]);
  const tarballs = ["charnn", `native-${process.platform}-${process.arch}`].map((name) => {
    const [{ filename }] = JSON.parse(npm(path.join(packages, name), ["pack", "--json"]));
    return path.join(packages, name, filename);
  });

  const newer = path.join(folder, "newer");
  await mkdir(newer);
  npm(folder, ["install", "--prefix", newer, "node@24"]);
  const nodes = [process.execPath, path.join(newer, "node_modules", "node", "bin", "node")];

  const versions = new Set<string>();
  for (const [index, node] of nodes.entries()) {
    await t.test(`with ${path.relative(folder, node)}`, async () => {
      const home = path.join(folder, `user-${index}`);
      const programs = path.join(home, "programs");
      await mkdir(programs, { recursive: true });
      await symlink(node, path.join(programs, "node"));
      for (const command of ["npm", "npx", "sh", "env"]) {
        await symlink(found(command), path.join(programs, command));
      }
      const { npm_config_prefix, NODE_OPTIONS, CXX, ...inherited } = process.env;
      const env = { ...inherited, PATH: programs };
      const compilers = "command -v c++ || command -v g++ || command -v clang++";
      assert.equal(spawnSync("sh", ["-c", compilers], { env }).stdout.toString(), "");

      const work = path.join(home, "work");
      await mkdir(work);
      await writeFile(path.join(work, "package.json"), "{}");
      npm(work, ["install", "--ignore-scripts", ...tarballs], env);
      await writeFile(path.join(work, "some.txt"), "The quick brown fox jumps. ".repeat(200));
      const train = ["--no-install", "charnn", "train", "some.txt", "--steps", "5", "--json"];
      const { status, stdout, stderr } = spawnSync("npx", train, {
        cwd: work,
        env,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
      const events = stdout.split("\n").map((line) => line && JSON.parse(line));
      const start = events.find(({ event }) => event === "start");
      assert.equal(start.backend.name, "native", stderr);
      assert.ok(existsSync(path.join(work, "checkpoints", start.name, "last.safetensors")));
      versions.add(execFileSync("node", ["--version"], { env, encoding: "utf8" }));
    });
  }
  assert.equal(versions.size, nodes.length, `the same Node twice: ${[...versions]}`);
});
