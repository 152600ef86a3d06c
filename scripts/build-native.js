/**
 * Compiles the addon: the kernels once for each instruction set, the rest once. Where that can't be done
 * one line says why and what helps, and that is all: without the addon charnn is slower, but works.
 *
 *     node scripts/build-native.js                                # the addon
 *     node scripts/build-native.js --if-changed                   # where it is not up to date
 *     node scripts/build-native.js --test                         # the tests of the kernels, a program
 *     node scripts/build-native.js --fuzz                         # the kernels' fuzzer, a program; needs clang
 *     node scripts/build-native.js --strict                       # warnings are errors, and so is failure
 *     node scripts/build-native.js --sanitize address,undefined   # with these sanitizers, in a separate folder
 *     node scripts/build-native.js --zig                          # by the zig of packages, which pip gets first
 *     node scripts/build-native.js --target win32-x64             # for another platform (scripts/native/platforms.js)
 *
 * The compiler is the one that CXX names, else the fastest of the system's, else zig where Python has it; with
 * --target it is always zig, of one version. CHARNN_ARCH names the processor (x64, arm64) that CXX compiles for
 * when it is not this one. The result is in native/build/<platform>/.
 */
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { forget, isUpToDate, madeFrom, nodeHeaders, remember } from "./native/addon-stamp.js";
import { readBinary } from "./native/binary.js";
import { CannotBuild, callCompiler, findCompiler, pinnedZig } from "./native/compiler.js";
import { PLATFORMS, thisPlatform } from "./native/platforms.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "native");

const SHARED = ["isa.cc", ...["rnn", "loss", "decode", "parallel"].flatMap(sourcesIn)];
const ADDON = [...SHARED, ...sourcesIn("mpi"), ...sourcesIn("addon")];
const TEST = [...SHARED, ...sourcesIn("test")];
const FUZZ = [...TEST.filter((source) => source !== "test/main.cc"), ...sourcesIn("fuzz")];
const SOURCES = { addon: ADDON, test: TEST, fuzz: FUZZ };
const RESULTS = { addon: "charnn.node", test: "test", fuzz: "fuzz" };

// Sums must come out the same for every instruction set: the compiler fuses nothing by itself.
const FLAGS = ["-std=c++17", "-O3", "-fvisibility=hidden", "-ffp-contract=off"];
const KERNEL_FLAGS = ["-fno-exceptions", "-fno-rtti", "-fno-math-errno"];

// A null pointer ends the program anyway; looking for it and for odd addresses at each of the kernels'
// many loads takes the compiler minutes.
const SANITIZER_FLAGS = [
  "-fno-sanitize-recover=all",
  "-fno-sanitize=null,alignment",
  "-g1",
  "-O1",
  "-fno-omit-frame-pointer",
];

/** Between two lines about a compilation. */
const SILENCE_MILLISECONDS = 10_000;

const ELF_MAGIC = 0x7f454c46;

/**
 * @param options.test builds the tests' program, not the addon
 * @param options.fuzz builds the fuzzer
 * @param options.target the name of a platform
 * @param options.ifChanged builds the addon only where it is not up to date
 * @returns the path of what was built; undefined where nothing was
 */
async function build({ test, fuzz, strict, sanitize = "", zig, target, ifChanged }) {
  const name = target ?? thisPlatform(process.env.CHARNN_ARCH);
  const platform = PLATFORMS[name];
  if (!platform) {
    const which = `there are no kernels for ${name}`;
    throw new CannotBuild(which, target && `There are: ${Object.keys(PLATFORMS).join(", ")}.`);
  }
  const folder = join(sources, "build", [name, ...sanitize.split(",")].filter(Boolean).join("-"));
  const kind = fuzz ? "fuzz" : test ? "test" : "addon";
  const ending = platform.os === "win32" && kind !== "addon" ? ".exe" : "";
  const result = join(folder, RESULTS[kind] + ending);
  if (ifChanged && (await isUpToDate(result))) return undefined;
  const compiler = await (zig || target ? pinnedZig(console.error) : findCompiler());
  if (ifChanged) {
    console.error(`Compiling the kernels by ${compiler.command.join(" ")}, a minute or less`);
  }
  const made = kind === "addon" && !sanitize ? madeFrom(compiler) : undefined;
  await mkdir(folder, { recursive: true });
  // Put in its place at once, so that nobody ever loads a part of it.
  const unfinished = await mkdtemp(join(folder, "unfinished-"));
  try {
    const output = join(unfinished, `result${ending}`);
    await compileInto(output, { compiler, platform, kind, strict, sanitize });
    if (made) forget(result);
    await rename(output, result);
    if (made) remember(result, made);
  } finally {
    // Another compiler may still be writing there.
    await rm(unfinished, { recursive: true, maxRetries: 5 });
  }
  return result;
}

/** @param output is made, with the objects that it is linked of beside it */
async function compileInto(output, { compiler, platform, kind, strict, sanitize }) {
  const flags = [...FLAGS, ...platformFlags(compiler, platform), `-I${sources}`];
  // clang takes half an hour to instrument the kernels for AVX-512; the tests run the fuzzer's cases on them.
  if (kind === "fuzz") flags.push("-fsanitize=fuzzer-no-link", "-DCHARNN_WITHOUT_AVX512");
  if (strict) flags.push("-Wall", "-Wextra", "-Werror");
  if (sanitize) flags.push(`-fsanitize=${sanitize}`, ...SANITIZER_FLAGS);
  const forAddon = kind === "addon" ? [...hostFlags(platform), "-isystem", headers()] : [];
  const compile = async (source, name, more) => {
    const object = join(dirname(output), name);
    await callCompiler(compiler, [...flags, ...more, "-c", join(sources, source), "-o", object]);
    return object;
  };
  const jobs = [
    ...Object.entries(platform.instructionSets)
      .filter(([name]) => !(kind === "fuzz" && name === "avx512"))
      .map(([name, own]) => async () => {
        const more = [...KERNEL_FLAGS, ...own];
        const define = [`-DCHARNN_ISA=${name}`, `-DCHARNN_ISA_${name.toUpperCase()}`];
        const object = await compile("kernels.cc", `kernels-${name}.o`, [...more, ...define]);
        if (strict && !sanitize) await checkNames(object, name);
        return object;
      }),
    ...SOURCES[kind].map(
      (source) => () => compile(source, `${source.replace("/", "-")}.o`, forAddon),
    ),
  ];
  const objects = await sayingHowFar(jobs.length, (onDone) => inParallel(jobs, onDone));
  const link = linkFlags(kind, compiler, platform, sanitize);
  // dlopen is in a library of its own in glibc before 2.34.
  const libraries = platform.os === "linux" ? ["-ldl"] : [];
  await callCompiler(compiler, [...flags, ...link, ...objects, ...libraries, "-o", output]);
}

/** Does a work of `count` files; every ten seconds a line says how many are done. */
async function sayingHowFar(count, work) {
  let done = 0;
  const start = Date.now();
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - start) / 1000);
    console.error(`  ${done} of ${count} files after ${seconds} s`);
  }, SILENCE_MILLISECONDS);
  try {
    return await work(() => done++);
  } finally {
    clearInterval(timer);
  }
}

/** For all files. */
function platformFlags({ isZig }, { os, target }) {
  // zig checks for undefined behaviour by default.
  const zig = isZig ? ["-target", target, "-fno-sanitize=all"] : ["-pthread"];
  return os === "win32" ? zig : [...zig, "-fPIC"];
}

/** On Windows Node's functions are called through pointers, which native/addon/host.cc fills. */
function hostFlags({ os }) {
  return os === "win32" ? ["-DNAPI_EXTERN=__declspec(dllimport)"] : [];
}

function linkFlags(kind, { isZig }, { os }, sanitize) {
  const kinds = {
    addon: os === "darwin" ? ["-bundle", "-Wl,-undefined,dynamic_lookup"] : ["-shared"],
    test: [],
    fuzz: ["-fsanitize=fuzzer"],
  };
  // zig has no bundles; Node loads both. Its own C++ library is always static.
  if (isZig) {
    const flags = kinds[kind].map((flag) => flag.replace("-bundle", "-shared"));
    return kind === "addon" ? [...flags, "-s"] : flags;
  }
  const isStatic = os === "linux" && !sanitize;
  return [...kinds[kind], ...(isStatic ? ["-static-libstdc++", "-static-libgcc"] : [])];
}

/**
 * Of functions with the same name in several objects the linker keeps one: if that is the one for a
 * larger instruction set, a processor without it crashes. So all names must be the object's own. Looked at in
 * Linux's objects, which have the names of all.
 *
 * @param name of its instruction set
 */
async function checkNames(object, name) {
  const bytes = await readFile(object);
  if (bytes.readUInt32BE(0) !== ELF_MAGIC) return;
  const own = new RegExp(`^_Z(T[VTIS])?Z*NK?6charnn${name.length}${name}`);
  const foreign = readBinary(bytes).globalSymbols.filter((symbol) => !own.test(symbol));
  if (foreign.length > 0) {
    throw new CannotBuild(
      `kernels-${name}.o defines names that others may too`,
      "Whatever kernels share must be CHARNN_INLINE, or in their own namespace.",
      foreign.join("\n"),
    );
  }
}

function headers() {
  const folder = nodeHeaders();
  if (folder) return folder;
  throw new CannotBuild(
    "the package node-api-headers is not installed",
    "Run: npm ci --include=dev",
  );
}

function sourcesIn(folder) {
  return readdirSync(join(sources, folder))
    .filter((name) => name.endsWith(".cc"))
    .map((name) => `${folder}/${name}`);
}

/** As many at once as there are processors. */
async function inParallel(jobs, onDone) {
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await jobs[index]();
      onDone();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

const { values: options } = parseArgs({
  options: {
    test: { type: "boolean" },
    fuzz: { type: "boolean" },
    strict: { type: "boolean" },
    sanitize: { type: "string" },
    zig: { type: "boolean" },
    target: { type: "string" },
    "if-changed": { type: "boolean" },
  },
});
try {
  const result = await build({ ...options, ifChanged: options["if-changed"] });
  if (result) console.log(`Compiled ${relative(process.cwd(), result)}.`);
} catch (error) {
  const { message, cure = "", details = "" } = error;
  if (details) console.error(details);
  const line = `The native backend was not built: ${message}. charnn works without it, slower.`;
  console.error(`${line} ${cure}`.trimEnd());
  if (options.strict) process.exitCode = 1;
}
