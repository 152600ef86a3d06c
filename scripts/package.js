/**
 * Makes the packages that are published, ready for `npm publish` or `npm pack` in their folders: charnn
 * itself, which compiles nothing when it is installed, and beside it the compiled addon for each platform,
 * on which charnn depends where it fits. A clone's package.json can't name the latter, as they may not be
 * published yet when `npm ci` looks for them.
 *
 *     node scripts/package.js             # native/build/package/charnn and native-<platform> for this platform
 *     node scripts/package.js --all       # native-<platform> for all platforms
 *     node scripts/package.js win32-x64   # for those that are named
 *     node scripts/package.js --out DIR   # in DIR
 *     node scripts/package.js --compiled  # of what --target has compiled before
 *
 * Addons are compiled by zig, as scripts/build-native.js does with --target, and looked at by
 * scripts/native/check-addon.js: one that would not run everywhere, or not fast, is no package.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { faultsOf } from "./native/check-addon.js";
import { PLATFORMS, thisPlatform } from "./native/platforms.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const build = join(root, "native", "build");

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: "boolean" }, compiled: { type: "boolean" }, out: { type: "string" } },
});
const out = options.out ?? join(build, "package");

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
  await writeManifest(folder, published(manifest));
  return folder;
}

/**
 * Without scripts, so that nothing is run or compiled where it is installed, and with TensorFlow, which
 * is large, only for those who have it.
 */
function published({ private: _, scripts, devDependencies, ...kept }) {
  const { optionalDependencies, peerDependencies, peerDependenciesMeta } = kept;
  const addons = Object.keys(PLATFORMS).map((platform) => [nameFor(platform), kept.version]);
  const optional = Object.keys(optionalDependencies).map((name) => [name, { optional: true }]);
  return {
    ...kept,
    optionalDependencies: Object.fromEntries(addons),
    peerDependencies: { ...optionalDependencies, ...peerDependencies },
    peerDependenciesMeta: { ...Object.fromEntries(optional), ...peerDependenciesMeta },
  };
}

function platformsAsked() {
  if (options.all) return Object.keys(PLATFORMS);
  const unknown = positionals.find((name) => !(name in PLATFORMS));
  if (unknown) throw new Error(`There is no platform ${unknown}.`);
  return positionals.length > 0 ? positionals : [thisPlatform()];
}

async function packAddon(name) {
  const { os, cpu, libc } = PLATFORMS[name];
  const compiled = join(build, name, "charnn.node");
  if (!options.compiled) compile(name);
  else if (!existsSync(compiled)) throw new Error(`${compiled} is not there.`);
  const faults = faultsOf(name, compiled);
  if (faults.length > 0)
    throw new Error([`${compiled} is no addon to publish.`, ...faults].join("\n"));
  const folder = join(out, `native-${name}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(compiled, join(folder, "charnn.node"));
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  await writeFile(
    join(folder, "README.md"),
    `# ${nameFor(name)}\n\nThe compiled kernels of charnn for ${name}. Install charnn, which brings it along.\n`,
  );
  await writeManifest(folder, {
    name: nameFor(name),
    version: manifest.version,
    description: `The compiled kernels of charnn for ${name}`,
    license: manifest.license,
    engines: manifest.engines,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    main: "charnn.node",
    files: ["charnn.node"],
  });
  const { size } = await stat(join(folder, "charnn.node"));
  console.log(`${nameFor(name)}: ${size.toLocaleString("en-US")} bytes`);
  return folder;
}

function compile(name) {
  const script = join(root, "scripts", "build-native.js");
  execFileSync(process.execPath, [script, "--strict", "--target", name], {
    stdio: ["ignore", 2, 2],
  });
}

function npm(...args) {
  return execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", 2] });
}

function writeManifest(folder, content) {
  return writeFile(join(folder, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
}

try {
  const folders = [await packCharnn()];
  for (const name of platformsAsked()) folders.push(await packAddon(name));
  for (const folder of folders) console.log(relative(process.cwd(), folder));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
