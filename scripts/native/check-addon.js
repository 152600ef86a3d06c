/** What must be true of a compiled addon, so that it runs wherever its package is installed. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { readBinary } from "./binary.js";
import { PLATFORMS, thisPlatform } from "./platforms.js";

/** The oldest systems that it runs on; also in the targets of {@link PLATFORMS}. */
const NEWEST_GLIBC = [2, 17];
const OLDEST_MACOS = "11.0";
/** What every system of its kind has. */
const LIBRARIES = {
  glibc: /^(lib(c|m|pthread|dl|rt)\.so\.\d+|ld-linux-.*\.so\.\d)$/,
  musl: /^libc\.so$/,
  darwin: /^\/usr\/lib\/libSystem\.B\.dylib$/,
  win32: /^(kernel32\.dll|api-ms-win-crt-[a-z]+-l1-1-0\.dll|ucrtbase\.dll)$/i,
};
/** Those that Node itself has. */
const FROM_NODE = /^(napi|node_api)_/;

/**
 * @param {string} name - of its platform
 * @param {string} path
 * @returns {string[]} what is wrong with it
 */
export function faultsOf(name, path) {
  const platform = PLATFORMS[name];
  const binary = readBinary(readFileSync(path));
  const checks = { linux: linuxFaults, darwin: macFaults, win32: windowsFaults };
  const faults = [
    ...(binary.cpu === platform.cpu ? [] : [`It is for ${binary.cpu} processors.`]),
    ...binary.libraries
      .filter((library) => !LIBRARIES[platform.libc ?? platform.os].test(library))
      .map((library) => `It needs ${library}, which not every system has.`),
    ...checks[platform.os](binary, platform),
  ];
  // What has other faults may not even load.
  return faults.length === 0 && name === thisPlatform() ? instructionSetFaults(path) : faults;
}

function linuxFaults({ format, versions }, { libc }) {
  if (format !== "elf") return ["It is no ELF file."];
  return versions.filter((version) => !isOldEnough(version, libc)).map((v) => `It needs ${v}.`);
}

function isOldEnough(version, libc) {
  const [, major, minor] = version.match(/^GLIBC_(\d+)\.(\d+)/) ?? [];
  const [mostMajor, mostMinor] = NEWEST_GLIBC;
  if (libc !== "glibc" || major === undefined) return false;
  return Number(major) < mostMajor || (Number(major) === mostMajor && Number(minor) <= mostMinor);
}

function macFaults({ format, oldestSystem, undefinedSymbols, isSignedAdHoc }, { cpu }) {
  if (format !== "mach-o") return ["It is no Mach-O file."];
  const faults = undefinedSymbols
    .filter(({ name, isFromAnywhere }) => isFromAnywhere !== FROM_NODE.test(name))
    .map(({ name }) => `It looks for ${name} in the wrong place.`);
  if (!undefinedSymbols.some(({ name }) => FROM_NODE.test(name))) {
    faults.push("It looks for nothing of Node.");
  }
  if (oldestSystem !== OLDEST_MACOS) faults.push(`It is for macOS from ${oldestSystem} on.`);
  // macOS loads nothing for these processors that is not signed at all.
  if (cpu === "arm64" && !isSignedAdHoc) faults.push("It is not signed.");
  return faults;
}

function windowsFaults({ format, exports }) {
  if (format !== "pe") return ["It is no PE file."];
  return exports
    .filter((name) => !FROM_NODE.test(name))
    .map((name) => `It exports ${name}, which is not for others.`);
}

/** That it finds all that this processor has: without them it would be slow, and say nothing. */
function instructionSetFaults(path) {
  const found = JSON.parse(
    execFileSync(
      process.execPath,
      ["-p", "JSON.stringify(require(process.argv[1]).describe().instructionSets)", resolve(path)],
      { encoding: "utf8" },
    ),
  );
  const expected = instructionSets();
  if (!expected || found.join() === expected.join()) return [];
  return [`It finds ${found.join(", ")} on this processor, which has ${expected.join(", ")}.`];
}

/** Of this processor, the fastest first; undefined where the system does not say. */
function instructionSets() {
  if (process.arch === "arm64") return ["neon"];
  if (process.platform !== "linux") return undefined;
  const flags = readFileSync("/proc/cpuinfo", "utf8")
    .match(/^flags\s*:(.*)$/m)?.[1]
    .split(" ");
  const has = (...names) => names.every((name) => flags.includes(name));
  const hasAvx2 = has("avx", "avx2", "fma");
  const hasAvx512 = hasAvx2 && has("avx512f", "avx512bw", "avx512dq", "avx512vl");
  return [...(hasAvx512 ? ["avx512"] : []), ...(hasAvx2 ? ["avx2"] : []), "sse2"];
}
