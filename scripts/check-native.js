/**
 * Looks at the format of the C++ sources and at the machine code of the kernels' inner loops, and builds and
 * runs their tests: as they are, under the compiler's sanitizers, and for other platforms in emulators.
 *
 *     node scripts/check-native.js             # format, plain, loops, address, thread, addon and arm64
 *     node scripts/check-native.js plain loops # some of these
 *     node scripts/check-native.js win32-x64   # as a program of that platform, compiled as packages are, by zig
 *     node scripts/check-native.js fuzz 3600   # the fuzzer, for an hour; needs clang
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CannotBuild, findCompiler } from "./native/compiler.js";
import { NotThere, PROGRAM_ON } from "./native/emulators.js";
import { readKernels } from "./native/machine-code.js";
import { PLATFORMS, thisPlatform } from "./native/platforms.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "native");
const platform = thisPlatform();
/** What takes longer than this hangs. */
const MOST_MINUTES = 10;

const MAX_LISTING_BYTES = 2 ** 30;

const PARTS = { format, plain, loops, address, thread, addon, arm64 };
/** Elsewhere one case in this many runs, as emulators of other processors are slow. */
const CASES_ELSEWHERE = {
  "win32-x64": 1,
  "linux-x64-musl": 1,
  "linux-arm64": 11,
  "linux-arm64-musl": 11,
};
const MINUTES_ELSEWHERE = 60;
const CORPUS = join(sources, "test", "corpus.txt");
const CASES = join(sources, "build", "kernel-cases.bin");

/** What did not pass; it has already been told why. */
class Failure extends Error {}

/** What was built in this run, and need not be again. */
const built = new Set();

function format() {
  if (!runs("clang-format")) {
    console.log("Not looked at: apt-get install clang-format");
    return;
  }
  const fixtures = ["cudnn", "mpi"].map((name) => join(root, "test", "fixtures", name));
  const files = [sources, ...fixtures].flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => /\.(c|cc|h)$/.test(name) && !name.startsWith("build"))
      .map((name) => join(folder, name)),
  );
  const style = `--style=file:${join(sources, ".clang-format")}`;
  run("clang-format", ["--dry-run", "--Werror", style, ...files]);
}

function plain() {
  build(["--test"]);
  run(program(platform), [...definition(), "--corpus", CORPUS]);
}

/** Whether the compiler keeps the sums of a product in registers, and calls nothing for a vector's operation. */
function loops() {
  // g++ 12 keeps a few numbers of NEON's tiles in memory.
  if (process.platform !== "linux" || process.arch !== "x64" || !runs("objdump")) {
    console.log("Not looked at: needs Linux on x64 and objdump, of binutils");
    return;
  }
  build(["--test"]);
  const { stdout } = spawnSync("objdump", ["-d", "--no-show-raw-insn", program(platform)], {
    encoding: "utf8",
    maxBuffer: MAX_LISTING_BYTES,
  });
  const { instructionSets, faults } = readKernels(stdout);
  for (const each of Object.keys(PLATFORMS[platform].instructionSets)) {
    if (!instructionSets.has(each)) faults.push(`no tile was found of ${each}`);
  }
  if (faults.length > 0) {
    throw new Failure(`The kernels of ${platform} are slow:\n${faults.join("\n")}`);
  }
}

/** Memory used beyond its ends, and what C++ leaves undefined. */
function address() {
  build(["--test", "--sanitize", "address,undefined"]);
  run(program(`${platform}-address-undefined`), [
    "--every",
    "5",
    ...definition(),
    "--corpus",
    CORPUS,
  ]);
}

/** Memory used by several threads without an order. */
function thread() {
  build(["--test", "--sanitize", "thread"]);
  run(program(`${platform}-thread`), ["--every", "11", ...definition()]);
}

/** The addon itself, called by the tests of the backends in a copy of what npm compiled. */
async function addon() {
  build(["--sanitize", "address,undefined"]);
  const folder = join(sources, "build", `${platform}-address-undefined`);
  const copy = join(folder, "charnn");
  await rm(copy, { recursive: true, force: true });
  const place = join(copy, "native", "build", platform);
  await mkdir(place, { recursive: true });
  await cp(join(folder, "charnn.node"), join(place, "charnn.node"));
  for (const name of ["dist", "dist-test", "package.json"]) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  const { stdout } = spawnSync(process.env.CXX ?? "g++", ["-print-file-name=libasan.so"]);
  const environment = {
    // Node ends without giving back what it holds.
    ASAN_OPTIONS: "detect_leaks=0",
    CHARNN_TEST_QUICK: "1",
    LD_PRELOAD: stdout.toString().trim(),
  };
  const tests = join(copy, "dist-test", "backends");
  const withNames = ["--test", "--test-reporter=spec"];
  const native = ["--test-name-pattern", "on the native backend"];
  const conformance = readdirSync(join(tests, "conformance"))
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(tests, "conformance", name));
  run(process.execPath, [...withNames, ...native, ...conformance], environment);
  const calls = ["arguments", "untrusted"].map((name) => join(tests, "native", `${name}.test.js`));
  run(process.execPath, [...withNames, ...calls], environment);
}

/** Its results must have the same bits as AVX2's. */
function arm64() {
  const compiler = "aarch64-linux-gnu-g++";
  const emulator = "qemu-aarch64-static";
  if (!runs(compiler) || !runs(emulator)) {
    console.log("Not tested for arm64: apt-get install g++-aarch64-linux-gnu qemu-user-static");
    return;
  }
  build(["--test"], { CHARNN_ARCH: "arm64", CXX: compiler });
  const some = ["--every", "11", ...definition()];
  const neon = run(emulator, [
    "-L",
    "/usr/aarch64-linux-gnu",
    program(thisPlatform("arm64")),
    ...some,
  ]);
  if (process.arch !== "x64") return;
  build(["--test"]);
  compareChecksums(neon, run(program(platform), some));
}

/** As a program of another platform, whose results must have the same bits as here. */
async function elsewhere(name) {
  build(["--test"]);
  build(["--test", "--target", name]);
  const folder = join(sources, "build", name);
  await cp(CORPUS, join(folder, "corpus.txt"));
  const every = ["--every", String(CASES_ELSEWHERE[name])];
  const [, cases] = definition();
  await cp(cases, join(folder, "cases.bin"));
  const some = [...every, "--definition", "cases.bin", "--corpus", "corpus.txt"];
  const path = name.startsWith("win32") ? "test.exe" : "./test";
  const printed = await PROGRAM_ON[name](path)(folder, some, { minutes: MINUTES_ELSEWHERE });
  console.log(printed.trimEnd());
  compareChecksums(
    printed,
    run(program(platform), [...every, ...definition(), "--corpus", CORPUS]),
  );
}

/** Of the results of the same cases on two platforms; fused multiply-add gives the same bits on all. */
function compareChecksums(there, here) {
  const expected = checksums(here);
  for (const [set, sum] of checksums(there)) {
    const other = set === "neon" ? "avx2" : set;
    if (expected.has(other) && expected.get(other) !== sum)
      throw new Failure(
        `${set} there has the checksum ${sum}, ${other} here ${expected.get(other)}.`,
      );
  }
}

/**
 * Fuzzes the kernels, starting from the cases in {@link CORPUS}, and adds the new cases that it finds to that
 * file, one a line.
 */
async function fuzz(seconds) {
  build(["--fuzz", "--sanitize", "address,undefined"], { CXX: process.env.CXX ?? "clang++" });
  const folder = await mkdtemp(join(tmpdir(), "charnn-fuzz-"));
  const kept = join(folder, "kept");
  const merged = join(folder, "merged");
  await Promise.all([mkdir(kept), mkdir(merged)]);
  const known = (await readFile(CORPUS, "utf8")).trim().split("\n");
  for (const [index, line] of known.entries()) {
    await writeFile(join(kept, String(index)), Buffer.from(line, "hex"));
  }
  const fuzzer = join(sources, "build", `${platform}-address-undefined`, "fuzz");
  const found = join(folder, "found-");
  const most = ["-max_len=64", "-timeout=60", `-artifact_prefix=${found}`];
  // Long inputs from the start: an execution takes too long for them to be reached by and by.
  const long = ["-len_control=0", `-max_total_time=${seconds}`];
  run(fuzzer, [...most, ...long, kept], {}, Number(seconds) / 60);
  // One case for each edge, not for each number of times that it is taken, since all are tests.
  run(fuzzer, [...most, "-merge=1", "-use_counters=0", merged, kept], {}, Number(seconds) / 60);
  const cases = await Promise.all(
    (await readdir(merged)).map(async (name) =>
      (await readFile(join(merged, name))).toString("hex"),
    ),
  );
  await writeFile(CORPUS, `${cases.filter(Boolean).sort().join("\n")}\n`);
  await rm(folder, { recursive: true });
}

/** Writes the cases of the definition in `test/reference/`; `npm run types` compiles what writes them. */
function definition() {
  run(process.execPath, [join(root, "dist-test/backends/native/write-kernel-cases.js"), CASES]);
  return ["--definition", CASES];
}

/** By instruction set. */
function checksums(output) {
  return new Map(Array.from(output.matchAll(/^checksum (\w+) (\w+)\r?$/gm), ([, ...each]) => each));
}

function program(folder) {
  return join(sources, "build", folder, "test");
}

function build(options, environment) {
  const key = JSON.stringify([options, environment]);
  if (built.has(key)) return;
  run(
    process.execPath,
    [join(root, "scripts/build-native.js"), "--strict", ...options],
    environment,
  );
  built.add(key);
}

/** @returns what it printed, which is printed here too */
function run(command, args, environment = {}, moreMinutes = 0) {
  const { status, signal, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: (MOST_MINUTES + moreMinutes) * 60_000,
  });
  process.stdout.write(stdout);
  if (status !== 0)
    throw new Failure(`${command} ${args.join(" ")} ended with ${signal ?? status}.`);
  return stdout;
}

function runs(command) {
  return spawnSync(command, ["--version"]).status === 0;
}

const parts = process.argv.slice(2);
try {
  await findCompiler();
  if (parts[0] === "fuzz") await fuzz(parts[1] ?? "60");
  else for (const name of parts.length > 0 ? parts : Object.keys(PARTS)) await check(name);
} catch (error) {
  if (error instanceof CannotBuild) console.log(`Not tested: ${error.message}`);
  else if (error instanceof NotThere) console.log(`Not tested; first: ${error.message}`);
  else {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function check(name) {
  console.log(`== ${name}`);
  if (name in PARTS) await PARTS[name]();
  else if (name in PROGRAM_ON) await elsewhere(name);
  else throw new Failure(`There is no part ${name}.`);
}
