/**
 * The C++ compiler: the system's, else zig where Python has it installed. Packages are always compiled by
 * one version of zig, which compiles for all platforms on any of them.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL("../zig-requirements.txt", import.meta.url));
const ZIG_DOWNLOAD = "about 100 MB";
const SYSTEM = ["c++", "g++", "clang++"];
const PYTHONS = ["python3", "python", "py"];

/**
 * @typedef Compiler
 * @property {string[]} command - the program and its first arguments
 * @property {boolean} isZig
 * @property {Record<string, string>} environment - variables that it needs
 */

/** Why there is no addon, and what helps. */
export class CannotBuild extends Error {
  /** @param details that stand before the one line, such as a compiler's messages */
  constructor(message, cure = "", details = "") {
    super(message);
    this.cure = cure;
    this.details = details;
  }
}

/**
 * The first that runs of: the one that CXX names, the system's, zig where Python has it.
 *
 * @returns {Promise<Compiler>}
 */
export async function findCompiler() {
  const asked = process.env.CXX;
  for (const name of asked ? [asked] : SYSTEM) {
    if (await runs([name, "--version"])) return { command: [name], isZig: false, environment: {} };
  }
  for (const python of asked ? [] : PYTHONS) {
    const zig = [python, "-m", "ziglang"];
    if (await runs([...zig, "version"])) return zigOf(zig);
  }
  const cures = { darwin: "xcode-select --install", win32: "python -m pip install ziglang" };
  throw new CannotBuild(
    asked ? `CXX names ${asked}, which does not run` : "there is no C++ compiler",
    `With one (${cures[process.platform] ?? "apt-get install g++"}), run: npm run native`,
  );
}

/**
 * The zig that packages are compiled by. Where it is not in the user's cache folder yet, pip gets it and
 * checks its hash.
 *
 * @param {(line: string) => void} say - is told what is downloaded before it is
 * @returns {Compiler}
 */
export function pinnedZig(say) {
  const folder = join(cacheFolder(), `zig-${pinnedVersion()}`);
  const program = join(folder, "ziglang", process.platform === "win32" ? "zig.exe" : "zig");
  if (!existsSync(program)) {
    const options = [
      "--require-hashes",
      "--no-deps",
      "--only-binary=:all:",
      "--no-warn-script-location",
    ];
    const pip = ["-m", "pip", "install", ...options, "--target", folder, "-r", REQUIREMENTS];
    const python = process.platform === "win32" ? "python" : "python3";
    say(
      `Downloading zig ${pinnedVersion()} (${ZIG_DOWNLOAD}) into ${folder}: ${python} ${pip.join(" ")}`,
    );
    execFileSync(python, pip, { stdio: ["ignore", 2, 2] });
  }
  return zigOf([program], { ZIG_GLOBAL_CACHE_DIR: join(cacheFolder(), "zig-cache") });
}

function zigOf(zig, environment = {}) {
  return { command: [...zig, "c++"], isZig: true, environment };
}

/** Of the user; zig keeps there what it has compiled of the C++ library for each platform. */
export function cacheFolder() {
  const folders = {
    win32: process.env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"),
    darwin: join(homedir(), "Library", "Caches"),
  };
  const fallback = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(folders[process.platform] ?? fallback, "charnn");
}

function pinnedVersion() {
  return readFileSync(REQUIREMENTS, "utf8").match(/^ziglang==(\S+)/m)[1];
}

async function runs([program, ...args]) {
  try {
    await run(program, args);
    return true;
  } catch {
    return false;
  }
}

/** @param {Compiler} compiler */
export async function callCompiler({ command: [program, ...first], environment }, args) {
  try {
    await run(program, [...first, ...args], { env: { ...process.env, ...environment } });
  } catch (error) {
    throw new CannotBuild(
      `${[program, ...first].join(" ")} does not compile it`,
      "With another C++ compiler, run: CXX=clang++ npm run native",
      (error.stderr || error.message).trim(),
    );
  }
}
