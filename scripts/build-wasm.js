/**
 * Compiles the kernels to native/wasm/kernels.wasm, which charnn uses where there is no addon, and those that write
 * text to native/wasm/writing.wasm, which goes into exported models. Both are kept in the repository. One version of one
 * compiler makes them, so that anybody gets the same bytes.
 *
 *     node scripts/build-wasm.js             # compiles them
 *     node scripts/build-wasm.js --check     # fails where one was made of other sources
 *     node scripts/build-wasm.js --compare   # compiles them and fails where the bytes differ
 *
 * The compiler is the zig of packages, which pip gets first. Where pip can't, --compare exits with 77.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CannotBuild, callCompiler, pinnedVersion, pinnedZig } from "./native/compiler.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "native");

/** What test runners take for "skipped". */
const EXIT_SKIPPED = 77;

/** What the modules are made of. Each unit is compiled to one object. */
const MODULES = [
  {
    file: join(sources, "wasm", "kernels.wasm"),
    units: ["kernels.cc", "parallel/team.cc"].concat(
      ["rnn", "loss", "decode", "wasm"].flatMap(unitsIn),
    ),
    flags: [],
    // The memory is shared by the threads of a team.
    link: ["--shared-memory", `--max-memory=${2 ** 32}`],
  },
  {
    file: join(sources, "wasm", "writing.wasm"),
    units: ["kernels.cc", "parallel/team.cc", ...unitsIn("decode")].concat(
      ["decode", "module", "team"].map((name) => `wasm/${name}.cc`),
    ),
    flags: ["-DCHARNN_WRITING_ONLY"],
    // Pages that come from a file or from most servers can't share memory.
    link: [],
  },
];
/** Of the instruction sets only one is compiled here, and threads are started by JavaScript. */
const FOLDERS = ["decode", "embedding", "linalg", "loss", "optimizer", "rnn", "wasm"];
const FILES = ["inline.h", "kernels.cc", "kernels.h"].concat(
  ["parallel.h", "team.cc", "team.h", "team_or_serial.h", "waiting.h"].map(
    (name) => `parallel/${name}`,
  ),
  ["unrolled", "vec", "wasm", "width"].map((name) => `simd/${name}.h`),
);
/** The custom section of the module that holds the SHA-256 of its sources, in hexadecimal. */
const SECTION = "charnn.sources";

// As scripts/build-native.js compiles them: sums must come out the same for every instruction set.
const FLAGS = [
  ...["-target", "wasm32-wasi", "-mcpu=generic+simd128+atomics+bulk_memory"],
  ...["-std=c++17", "-O3", "-fvisibility=hidden", "-ffp-contract=off", "-fno-sanitize=all"],
  ...["-fno-exceptions", "-fno-rtti", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"],
  ...["-DCHARNN_ISA=wasm", "-DCHARNN_ISA_WASM"],
];
const LINK = [
  ...["--no-entry", "--import-memory"],
  // Below everything else, a stack that grows too long ends the call, and overwrites nothing.
  ...["--stack-first", "-z", "stack-size=65536", "--strip-all"],
  ...["--export=__heap_base", "--export=__stack_pointer"],
];

/** A module as it comes out of the compiler here. */
async function compile(compiler, { units, flags, link }) {
  // Paths are no part of the module: it is compiled where the sources are, by relative names.
  const objects = await mkdtemp(join(tmpdir(), "charnn-wasm-"));
  try {
    const outputs = [];
    const used = new Set();
    for (const unit of units) {
      const object = join(objects, `${unit.replace("/", "-")}.o`);
      const list = ["-MMD", "-MF", `${object}.d`];
      const args = [...FLAGS, ...flags, "-I.", ...list, "-c", unit, "-o", object];
      await callCompiler(compiler, args, sources);
      for (const file of await includedIn(`${object}.d`)) used.add(file);
      outputs.push(object);
    }
    const unknown = [...used].filter((file) => !hashedFiles().includes(file));
    if (unknown.length > 0) {
      throw new CannotBuild(`scripts/build-wasm.js does not list ${unknown.join(", ")}`);
    }
    const output = join(objects, "module.wasm");
    await callCompiler(linkerOf(compiler), [...LINK, ...link, ...outputs, "-o", output], sources);
    return Buffer.concat([await readFile(output), sourcesSection()]);
  } finally {
    await rm(objects, { recursive: true });
  }
}

/** The sources of this project that a compiler's list of dependencies names. */
async function includedIn(list) {
  const names = (await readFile(list, "utf8")).replace(/^[^:]*:/, "").split(/[\s\\]+/);
  return names.map((name) => name.replace(/^\.\//, "")).filter((name) => name && !/^\//.test(name));
}

/** WebAssembly's, which zig brings along. */
function linkerOf({ command, ...rest }) {
  return { command: [...command.slice(0, -1), "wasm-ld"], ...rest };
}

function sourcesSection() {
  const name = Buffer.from(SECTION);
  const content = Buffer.concat([Buffer.from([name.length]), name, Buffer.from(hashOfSources())]);
  // A custom section (WebAssembly specification, 5.5.3); its size in two bytes of 7 bits each.
  return Buffer.concat([
    Buffer.from([0, (content.length & 0x7f) | 0x80, content.length >> 7]),
    content,
  ]);
}

/** Of the sources and of how they are compiled. */
function hashOfSources() {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([pinnedVersion(), FLAGS, LINK, MODULES.map(settingsOf)]));
  for (const file of hashedFiles()) {
    // Git may have ended lines as Windows does.
    const text = readFileSync(join(sources, file), "utf8").replaceAll("\r\n", "\n");
    hash.update(`\n${file} ${text.length}\n${text}`);
  }
  return hash.digest("hex");
}

function settingsOf({ units, flags, link }) {
  return { units, flags, link };
}

function hashedFiles() {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(sources, folder))
      .filter((name) => /\.(cc|h)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  return [...FILES, ...inFolders].sort();
}

function unitsIn(folder) {
  return readdirSync(join(sources, folder))
    .filter((name) => name.endsWith(".cc"))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function recordedHash(file) {
  const module = new WebAssembly.Module(readFileSync(file));
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  return section && Buffer.from(section).toString("latin1");
}

async function main({ check, compare }) {
  if (check) return MODULES.map(({ file }) => checked(file)).join("\n");
  const compiler = await pinnedZig(console.error).catch((error) => {
    if (compare) process.exitCode = EXIT_SKIPPED;
    throw error;
  });
  const lines = [];
  for (const module of MODULES) {
    const bytes = await compile(compiler, module);
    lines.push(compare ? compared(module.file, bytes) : await written(module.file, bytes));
  }
  return lines.join("\n");
}

function checked(file) {
  if (recordedHash(file) === hashOfSources()) return `${shown(file)} was made of these sources.`;
  throw new CannotBuild(`${shown(file)} was made of other sources`, "Run: npm run wasm");
}

function compared(file, bytes) {
  if (bytes.equals(readFileSync(file))) return `${shown(file)} is what the sources compile to.`;
  throw new CannotBuild(`${shown(file)} is not what the sources compile to`, "Run: npm run wasm");
}

async function written(file, bytes) {
  await writeFile(file, bytes);
  return `Compiled ${shown(file)}, ${bytes.length} bytes.`;
}

function shown(file) {
  return relative(process.cwd(), file).replaceAll(sep, "/");
}

const { values: options } = parseArgs({
  options: { check: { type: "boolean" }, compare: { type: "boolean" } },
});
try {
  console.log(await main(options));
} catch (error) {
  const { message, cure = "", details = "" } = error;
  if (details) console.error(details);
  console.error(`${message}. ${cure}`.trimEnd());
  process.exitCode ??= 1;
}
