/**
 * The C++ compiler: the faster of the system's, else zig where charnn or Python has it installed. Packages are
 * always compiled by one version of zig, which compiles for all platforms on any of them.
 */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { dataFolder } from "../../dist/data-folder.js";

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL("../zig-requirements.txt", import.meta.url));
const ZIG_DOWNLOAD = "about 100 MB";
/** `c++` is one of the others, or one that is not known here. */
const SYSTEM = ["g++", "clang++", "c++"];
/**
 * The oldest version of each compiler that the kernels were measured with, the faster one first. Their kernels
 * have the same bits; training is as fast by either, and writing a text some percent faster by g++
 * (`npm run bench:kernels`, with AVX2).
 */
const MEASURED = [
  { sign: /Free Software Foundation/, version: /\) (\d+)\./, oldest: 12 },
  { sign: /clang version/, version: /clang version (\d+)/, oldest: 14 },
];
const PYTHONS = ["python3", "python", "py"];

/**
 * @typedef Compiler
 * @property {string[]} command - the program and its first arguments
 * @property {boolean} isZig
 * @property {Record<string, string>} environment - variables that it needs
 * @property {string} identity - its place and version: another compiler, or the same updated, has another
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
 * The first that runs of: the one that CXX names, the system's, the zig that charnn installed, zig where
 * Python has it. Of several of the system's it is the fastest that was measured ({@link MEASURED}), and an older
 * one only where there is no other.
 *
 * @returns {Promise<Compiler>}
 */
export async function findCompiler() {
  const asked = process.env.CXX;
  const candidates = await Promise.all(
    (asked ? [asked] : SYSTEM).map(async (name) => {
      const text = await outputOf([name, "--version"]);
      return text === undefined ? [] : { name, text, rank: rankOf(text) };
    }),
  );
  const [best] = candidates.flat().sort((a, b) => a.rank - b.rank);
  if (best) {
    const { name, text } = best;
    const identity = `${placeOf(name)}: ${text.trim()}`;
    return { command: [name], isZig: false, environment: {}, identity };
  }
  if (!asked && existsSync(installedZig())) return zigOf([installedZig()], pinnedVersion());
  for (const python of asked ? [] : PYTHONS) {
    const zig = [python, "-m", "ziglang"];
    const version = await outputOf([...zig, "version"]);
    if (version !== undefined) return zigOf(zig, version.trim());
  }
  throw new CannotBuild(
    asked ? `CXX names ${asked}, which does not run` : "there is no C++ compiler",
    "This gets one: node bin/charnn.js doctor --install-compiler",
  );
}

/**
 * The zig that packages are compiled by. Where it is not installed yet, pip gets it and checks its hash.
 *
 * @param {(line: string) => void} say - called with what is about to be downloaded
 * @returns {Promise<Compiler>}
 */
export async function pinnedZig(say) {
  if (!existsSync(installedZig())) {
    say(`Downloading zig ${pinnedVersion()} (${ZIG_DOWNLOAD}) into ${zigFolder()}`);
    await installZig();
  }
  return zigOf([installedZig()], pinnedVersion());
}

/** Lets pip get it; while it is unfinished, it is in a folder beside its final one. */
async function installZig() {
  mkdirSync(dirname(zigFolder()), { recursive: true });
  const unfinished = mkdtempSync(`${zigFolder()}-unfinished-`);
  try {
    const options = ["--require-hashes", "--no-deps", "--only-binary=:all:"];
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-warn-script-location"];
    const pip = ["-m", "pip", "install", ...options, ...quiet, "--target", unfinished];
    const python = process.env.PYTHON || (process.platform === "win32" ? "python" : "python3");
    const installing = run(python, [...pip, "-r", REQUIREMENTS]);
    // A signal ends pip first, so that it writes nothing any more when what it left is removed.
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => installing.child.kill());
    await installing;
    renameSync(unfinished, zigFolder());
  } catch (error) {
    throw new CannotBuild(
      `pip can't install zig ${pinnedVersion()}`,
      "Is there a network? PIP_INDEX_URL names a mirror.",
      (error.stderr || error.message).trim(),
    );
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Where `charnn doctor --install-compiler` and packaging keep it. */
function zigFolder() {
  return join(dataFolder(), "charnn", `zig-${pinnedVersion()}`);
}

function installedZig() {
  return join(zigFolder(), "ziglang", process.platform === "win32" ? "zig.exe" : "zig");
}

function zigOf(zig, version) {
  const environment = { ZIG_GLOBAL_CACHE_DIR: join(cacheFolder(), "zig-cache") };
  const command = [...zig, "c++"];
  return { command, isZig: true, environment, identity: `${command.join(" ")}: ${version}` };
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

/** Of {@link pinnedZig}. */
export function pinnedVersion() {
  return readFileSync(REQUIREMENTS, "utf8").match(/^ziglang==(\S+)/m)[1];
}

/** @param text what it prints of its version */
function rankOf(text) {
  const rank = MEASURED.findIndex(
    ({ sign, version, oldest }) => sign.test(text) && Number(version.exec(text)?.[1]) >= oldest,
  );
  return rank < 0 ? MEASURED.length : rank;
}

/** The file that is run by a name; a link in its place may be set to another compiler. */
function placeOf(program) {
  const names = process.platform === "win32" ? [program, `${program}.exe`] : [program];
  const folders = dirname(program) === "." ? (process.env.PATH ?? "").split(delimiter) : [""];
  const places = folders.flatMap((folder) => names.map((name) => resolve(folder, name)));
  const place = places.find((path) => existsSync(path));
  return place ? realpathSync(place) : program;
}

async function outputOf([program, ...args]) {
  try {
    return (await run(program, args)).stdout;
  } catch {
    return undefined;
  }
}

/**
 * @param {Compiler} compiler
 * @param {string[]} args
 * @param {string} [cwd] - the folder it runs in
 */
export async function callCompiler({ command: [program, ...first], environment }, args, cwd) {
  try {
    await run(program, [...first, ...args], { cwd, env: { ...process.env, ...environment } });
  } catch (error) {
    throw new CannotBuild(
      `${[program, ...first].join(" ")} does not compile it`,
      "With another C++ compiler, run: CXX=clang++ npm run native",
      (error.stderr || error.message).trim(),
    );
  }
}
