/**
 * Compiles the addon with the system's C++ compiler: the kernels once for each instruction set, the
 * rest once. Where that can't be done one line says why and what helps, and that is all: without the
 * addon charnn is slower, but works.
 *
 *     node scripts/build-native.js                                # the addon
 *     node scripts/build-native.js --test                         # the tests of the kernels, a program
 *     node scripts/build-native.js --fuzz                         # the kernels' fuzzer, a program; needs clang
 *     node scripts/build-native.js --strict                       # warnings are errors, and so is failure
 *     node scripts/build-native.js --sanitize address,undefined   # with these sanitizers, in a separate folder
 *
 * CXX names the compiler, CHARNN_ARCH the processor it compiles for (x64, arm64) when not this one.
 */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "native");

const INSTRUCTION_SETS = {
  x64: {
    sse2: [],
    avx2: ["-mavx2", "-mfma"],
    avx512: ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"],
  },
  arm64: { neon: [] },
};
const SHARED = ["isa.cc", ...["rnn", "loss", "decode", "parallel"].flatMap(sourcesIn)];
const ADDON = [...SHARED, ...sourcesIn("addon")];
const TEST = [...SHARED, ...sourcesIn("test")];
const FUZZ = [...TEST.filter((source) => source !== "test/main.cc"), ...sourcesIn("fuzz")];
const SOURCES = { addon: ADDON, test: TEST, fuzz: FUZZ };
const RESULTS = { addon: "charnn.node", test: "test", fuzz: "fuzz" };
const ADDON_LINK =
  process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];

// Sums must come out the same for every instruction set: the compiler fuses nothing by itself.
const FLAGS = [
  "-std=c++17",
  "-O3",
  "-fPIC",
  "-pthread",
  "-fvisibility=hidden",
  "-ffp-contract=off",
];
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

/** Why there is no addon, and what helps. */
class CannotBuild extends Error {
  /** @param details that stand before the one line, such as a compiler's messages */
  constructor(message, cure = "", details = "") {
    super(message);
    this.cure = cure;
    this.details = details;
  }
}

/**
 * @param options.test builds the tests' program, not the addon
 * @param options.fuzz builds the fuzzer
 * @returns the path of what was built
 */
async function build({ test = false, fuzz = false, strict = false, sanitize = "" }) {
  const arch = process.env.CHARNN_ARCH ?? process.arch;
  const instructionSets = INSTRUCTION_SETS[arch];
  if (!instructionSets) throw new CannotBuild(`there are no kernels for ${arch} processors`);
  if (process.platform === "win32") throw new CannotBuild("there is no build for Windows yet");
  const compiler = await findCompiler();
  const folder = join(sources, "build", [arch, ...sanitize.split(",")].filter(Boolean).join("-"));
  await mkdir(folder, { recursive: true });
  const target = fuzz ? "fuzz" : test ? "test" : "addon";
  const result = join(folder, RESULTS[target]);
  // Put in its place at once, so that nobody ever loads a part of it.
  const unfinished = await mkdtemp(join(folder, "unfinished-"));
  try {
    const output = join(unfinished, "result");
    await compileInto(output, { compiler, instructionSets, target, strict, sanitize });
    await rename(output, result);
  } finally {
    // Another compiler may still be writing there.
    await rm(unfinished, { recursive: true, maxRetries: 5 });
  }
  return result;
}

/** @param output is made, with the objects that it is linked of beside it */
async function compileInto(output, { compiler, instructionSets, target, strict, sanitize }) {
  const flags = [...FLAGS, `-I${sources}`];
  // clang takes half an hour to instrument the kernels for AVX-512; the tests run the fuzzer's cases on them.
  if (target === "fuzz") flags.push("-fsanitize=fuzzer-no-link", "-DCHARNN_WITHOUT_AVX512");
  if (strict) flags.push("-Wall", "-Wextra", "-Werror");
  if (sanitize) flags.push(`-fsanitize=${sanitize}`, ...SANITIZER_FLAGS);
  const includes = target === "addon" ? ["-isystem", headers()] : [];
  const compile = async (source, name, more) => {
    const object = join(dirname(output), name);
    await callCompiler(compiler, [...flags, ...more, "-c", join(sources, source), "-o", object]);
    return object;
  };
  const jobs = [
    ...Object.entries(instructionSets)
      .filter(([name]) => !(target === "fuzz" && name === "avx512"))
      .map(([name, own]) => async () => {
        const more = [...KERNEL_FLAGS, ...own];
        const define = [`-DCHARNN_ISA=${name}`, `-DCHARNN_ISA_${name.toUpperCase()}`];
        const object = await compile("kernels.cc", `kernels-${name}.o`, [...more, ...define]);
        if (strict && !sanitize) await checkNames(compiler, object, name);
        return object;
      }),
    ...SOURCES[target].map(
      (source) => () => compile(source, `${source.replace("/", "-")}.o`, includes),
    ),
  ];
  const objects = await inParallel(jobs);
  const link = { addon: ADDON_LINK, test: [], fuzz: ["-fsanitize=fuzzer"] }[target];
  const isStatic = process.platform === "linux" && !sanitize;
  const runtime = isStatic ? ["-static-libstdc++", "-static-libgcc"] : [];
  await callCompiler(compiler, [...flags, ...link, ...runtime, ...objects, "-o", output]);
}

async function callCompiler(compiler, args) {
  try {
    await run(compiler, args);
  } catch (error) {
    throw new CannotBuild(
      `${compiler} does not compile it`,
      "With another C++ compiler, run: CXX=clang++ npm run native",
      (error.stderr || error.message).trim(),
    );
  }
}

async function findCompiler() {
  const asked = process.env.CXX;
  for (const compiler of asked ? [asked] : ["c++", "g++", "clang++"]) {
    try {
      await run(compiler, ["--version"]);
      return compiler;
    } catch {
      // The next one, then.
    }
  }
  throw new CannotBuild(
    asked ? `CXX names ${asked}, which does not run` : "there is no C++ compiler",
    "With one (apt-get install g++, or xcode-select --install), run: npm run native",
  );
}

/**
 * Of functions with the same name in several objects the linker keeps one: if that is the one for a
 * larger instruction set, a processor without it crashes. So all names must be the object's own.
 *
 * @param name of its instruction set
 */
async function checkNames(compiler, object, name) {
  const { stdout: nm } = await run(compiler, ["-print-prog-name=nm"]);
  const { stdout } = await run(nm.trim(), ["--defined-only", "--format=posix", object]);
  const own = new RegExp(`^_?_Z(T[VTIS])?Z*NK?6charnn${name.length}${name}`);
  const foreign = stdout
    .split("\n")
    .map((line) => line.split(" "))
    // Lower-case letters are local names, but for the kinds of weak ones.
    .filter(([symbol, type]) => type && /[A-Zuvw]/.test(type) && !own.test(symbol))
    .map(([symbol]) => symbol);
  if (foreign.length > 0) {
    throw new CannotBuild(
      `kernels-${name}.o defines names that others may too`,
      "Whatever kernels share must be CHARNN_INLINE, or in their own namespace.",
      foreign.join("\n"),
    );
  }
}

function headers() {
  try {
    return require("node-api-headers").include_dir;
  } catch {
    throw new CannotBuild("the package node-api-headers is not installed", "Run: npm ci");
  }
}

function sourcesIn(folder) {
  return readdirSync(join(sources, folder))
    .filter((name) => name.endsWith(".cc"))
    .map((name) => `${folder}/${name}`);
}

/** As many at once as there are processors. */
async function inParallel(jobs) {
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await jobs[index]();
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
  },
});
try {
  const result = await build(options);
  console.log(`Compiled ${relative(process.cwd(), result)}.`);
} catch (error) {
  const { message, cure = "", details = "" } = error;
  if (details) console.error(details);
  const line = `The native backend was not built: ${message}. charnn works without it, slower.`;
  console.error(`${line} ${cure}`.trimEnd());
  if (options.strict) process.exitCode = 1;
}
