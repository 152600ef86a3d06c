/** The platforms for which the addon is compiled, and the one that this is. */

const X64 = {
  sse2: [],
  avx2: ["-mavx2", "-mfma"],
  avx512: ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"],
};
const ARM64 = { neon: [] };

/**
 * By name, which is that of the package and of the folder in `native/build/`; `src/backends/native/addon.ts`
 * knows them too.
 *
 * - `os`, `cpu`, `libc`: what npm compares with where it installs
 * - `target`: what zig calls it, with the oldest glibc or macOS that it runs on
 * - `instructionSets`: for each, what the compiler is given for its kernels
 */
export const PLATFORMS = {
  "linux-x64": platform("linux", "x64", "x86_64-linux-gnu.2.17", "glibc"),
  "linux-arm64": platform("linux", "arm64", "aarch64-linux-gnu.2.17", "glibc"),
  "linux-x64-musl": platform("linux", "x64", "x86_64-linux-musl", "musl"),
  "linux-arm64-musl": platform("linux", "arm64", "aarch64-linux-musl", "musl"),
  "darwin-x64": platform("darwin", "x64", "x86_64-macos.11.0"),
  "darwin-arm64": platform("darwin", "arm64", "aarch64-macos.11.0"),
  "win32-x64": platform("win32", "x64", "x86_64-windows-gnu"),
  "win32-arm64": platform("win32", "arm64", "aarch64-windows-gnu"),
};

function platform(os, cpu, target, libc) {
  return { os, cpu, target, libc, instructionSets: cpu === "x64" ? X64 : ARM64 };
}

/** The name of this platform, be it one of {@link PLATFORMS} or not; of another processor where one is named. */
export function thisPlatform(cpu = process.arch) {
  return `${process.platform}-${cpu}${isMusl() ? "-musl" : ""}`;
}

function isMusl() {
  if (process.platform !== "linux") return false;
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}
