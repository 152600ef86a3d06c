/**
 * Makes the two packages that are published, ready for `npm publish` or `npm pack` in their folders:
 * charnn itself, which compiles nothing when it is installed, and beside it the compiled addon for
 * one platform, on which charnn depends where it fits. A clone's package.json can't name the latter,
 * as they may not be published yet when `npm ci` looks for them.
 *
 *     node scripts/package.js            # native/build/package/charnn, native/build/package/native-<platform>
 *     node scripts/package.js --out DIR  # in DIR
 *
 * It takes what build.js compiled; CHARNN_ARCH and CXX are those that build.js was called with.
 */
import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "native");
const arch = process.env.CHARNN_ARCH ?? process.arch;
const platform = `${process.platform}-${arch}`;
/** Those that `src/backends/native/addon.ts` knows. */
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

const { values } = parseArgs({ options: { out: { type: "string" } } });
const out = values.out ?? join(sources, "build", "package");

const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
const nameFor = (platform) => `@charnn/native-${platform}`;

/** What npm would publish of a clone, with a package.json for those who only use it. */
async function packCharnn() {
  const folder = join(out, "charnn");
  await rm(folder, { recursive: true, force: true });
  const packed = npm("pack", "--dry-run", "--ignore-scripts", "--json");
  for (const { path } of JSON.parse(packed)[0].files) {
    await cp(join(root, path), join(folder, path));
  }
  // Without scripts, so that nothing is run or compiled where it is installed.
  const { private: _, scripts, devDependencies, ...published } = manifest;
  const addons = PLATFORMS.map((platform) => [nameFor(platform), manifest.version]);
  await writeManifest(folder, {
    ...published,
    optionalDependencies: { ...manifest.optionalDependencies, ...Object.fromEntries(addons) },
  });
  return folder;
}

async function packAddon() {
  const folder = join(out, `native-${platform}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const addon = join(folder, "charnn.node");
  await cp(join(sources, "build", arch, "charnn.node"), addon);
  execFileSync(tool("strip"), [process.platform === "darwin" ? "-x" : "--strip-unneeded", addon]);
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  const glibc = process.platform === "linux" ? neededGlibc(addon) : undefined;
  const needs = glibc ? ` It needs glibc ${glibc} or newer.` : "";
  await writeFile(
    join(folder, "README.md"),
    `# ${nameFor(platform)}\n\nThe compiled kernels of charnn for ${platform}.${needs}\n` +
      "Install charnn, which brings it along.\n",
  );
  await writeManifest(folder, {
    name: nameFor(platform),
    version: manifest.version,
    description: `The compiled kernels of charnn for ${platform}`,
    license: manifest.license,
    engines: manifest.engines,
    os: [process.platform],
    cpu: [arch],
    ...(glibc && { libc: ["glibc"], config: { glibc: `>=${glibc}` } }),
    main: "charnn.node",
    files: ["charnn.node"],
  });
  if (glibc) console.log(`${nameFor(platform)} needs glibc ${glibc}.`);
  if (platform === `${process.platform}-${process.arch}`) {
    // An addon that does not load, or lacks an instruction set, is better seen here.
    const { instructionSets } = createRequire(import.meta.url)(addon).describe();
    console.log(`It has ${instructionSets.join(", ")} on this processor.`);
  }
  return folder;
}

/** The newest version of the C library of which it uses a function. */
function neededGlibc(addon) {
  const symbols = execFileSync(tool("objdump"), ["-T", addon], { encoding: "utf8" });
  const versions = [...symbols.matchAll(/\bGLIBC_(\d+)\.(\d+)/g)];
  const [, major, minor] = versions.sort((a, b) => b[1] - a[1] || b[2] - a[2])[0];
  return `${major}.${minor}`;
}

/** One of the tools that belong to the compiler. */
function tool(name) {
  const compiler = process.env.CXX ?? "c++";
  return execFileSync(compiler, [`-print-prog-name=${name}`], { encoding: "utf8" }).trim();
}

function npm(...args) {
  return execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", 2] });
}

function writeManifest(folder, content) {
  return writeFile(join(folder, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
}

for (const folder of [await packCharnn(), await packAddon()]) {
  console.log(relative(process.cwd(), folder));
}
