/** The published packages, installed as users install them: in an empty folder, without a compiler or scripts. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
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
  const asked = spawnSync("npm", ["view", "node@26", "version", "--fetch-retries=0"]);
  return asked.status === 0 ? undefined : "the registry can't be reached";
}

function npm(cwd: string, args: readonly string[]): string {
  return execFileSync("npm", [...args, ...QUIET], { cwd, encoding: "utf8" });
}

/** Files as `npm pack` makes them: charnn and its addon for this platform. */
function packed(folder: string): string[] {
  execFileSync(process.execPath, [path.join(root, "scripts", "package.js"), "--out", folder]);
  return ["charnn", `native-${process.platform}-${process.arch}`].map((name) => {
    const [{ filename }] = JSON.parse(npm(path.join(folder, name), ["pack", "--json"]));
    return path.join(folder, name, filename);
  });
}

interface Programs {
  readonly node: string;
  readonly npm: string;
  readonly npx: string;
}

/** Somebody whose PATH has these programs, a shell, and nothing else; in an empty folder. */
async function userOf(programs: Programs, home: string) {
  const bin = path.join(home, "bin");
  const work = path.join(home, "work");
  await mkdir(bin, { recursive: true });
  await mkdir(work);
  const all = { ...programs, sh: found("sh"), env: found("env") };
  for (const [name, file] of Object.entries(all)) await symlink(file, path.join(bin, name));
  const { npm_config_prefix, NODE_OPTIONS, CXX, CHARNN_ISA, ...inherited } = process.env;
  const data = path.join(home, "data");
  const env = { ...inherited, PATH: bin, HOME: home, XDG_DATA_HOME: data, XDG_CACHE_HOME: data };
  const compilers = "command -v c++ || command -v g++ || command -v clang++ || command -v python3";
  assert.equal(spawnSync("sh", ["-c", compilers], { env }).stdout.toString(), "");
  const run = (command: string, ...args: string[]) => {
    const result = spawnSync(command, args, { cwd: work, env, encoding: "utf8" });
    assert.equal(result.status, 0, result.error?.message ?? result.stderr);
    return result.stdout;
  };
  return {
    work,
    run,
    charnn: (...args: string[]) => run("npx", "--no-install", "charnn", ...args),
  };
}

type User = Awaited<ReturnType<typeof userOf>>;

/** What `charnn doctor` says, and what a training uses, is this backend. */
async function assertUses(backend: string, { work, charnn }: User, t: TestContext) {
  const { auto, backends, node } = JSON.parse(charnn("doctor", "--json"));
  assert.equal(auto, backend);
  const { trainCharsPerSecond } = backends.find(({ name }: { name: string }) => name === backend);
  assert.ok(trainCharsPerSecond > 0);
  t.diagnostic(`${backend} on Node ${node}: ${Math.round(trainCharsPerSecond)} chars/s`);

  const stdout = charnn("train", "some.txt", "--steps", "5", "--json");
  const events = stdout.split("\n").map((line) => line && JSON.parse(line));
  const start = events.find(({ event }) => event === "start");
  assert.equal(start.backend.name, backend);
  assert.ok(existsSync(path.join(work, "checkpoints", start.name, "last.safetensors")));
  assert.equal(charnn("sample", start.name, "--seed", "The", "-n", "20").trim().length, 23);
}

test("The packed files work where there is no compiler, also without the package of kernels", {
  skip: whyNot(),
}, async (t) => {
  const folder = await temporaryFolder(t);
  const files = packed(path.join(folder, "packages"));

  const newer = path.join(folder, "newer");
  await mkdir(newer);
  npm(folder, ["install", "--prefix", newer, "node@26", "npm@12"]);
  const installed = path.join(newer, "node_modules");
  const users: Programs[] = [
    { node: process.execPath, npm: found("npm"), npx: found("npx") },
    {
      node: path.join(installed, "node", "bin", "node"),
      npm: path.join(installed, "npm", "bin", "npm-cli.js"),
      npx: path.join(installed, "npm", "bin", "npx-cli.js"),
    },
  ];
  for (const [index, programs] of users.entries()) {
    const versions = [programs.node, programs.npm].map((file) =>
      execFileSync(programs.node, file === programs.node ? ["-v"] : [file, "-v"], {
        encoding: "utf8",
      }).trim(),
    );
    const title = `With Node ${versions[0]} and npm ${versions[1]}`;
    await t.test(title, async (t) => {
      const user = await userOf(programs, path.join(folder, `user-${index}`));
      user.run("npm", "install", "--ignore-scripts", ...files, ...QUIET);
      assert.ok(!existsSync(path.join(user.work, "node_modules", "@tensorflow")));
      await writeFile(path.join(user.work, "some.txt"), "The quick brown fox jumps. ".repeat(200));
      await assertUses("native", user, t);
      await rm(path.join(user.work, "node_modules", "@charnn"), { recursive: true });
      await assertUses("wasm", user, t);
    });
  }
});
