/** Compiles `src/` into `dist/` where that is not up to date. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundlePrograms } from "./bundle.js";
import { filesBelow, hashOf, readStamp, removeStamp, writeStamp } from "./stamp.js";

const SETTINGS = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.base.json"];

/**
 * @param {string} root - of the clone
 * @returns {Promise<"up to date" | "compiled" | "failed" | "cannot">}
 *   `cannot` where what compiles it is not installed
 */
export async function compileProgram(root) {
  const dist = join(root, "dist");
  const stampFile = join(dist, "set-up.stamp");
  const stamp = readStamp(stampFile);
  const typescript = installedTypeScript(root);
  const sources = hashOf(root, [...settingsIn(root), ...sourcesIn(root).map((it) => `src/${it}`)]);
  const isOfThese = stamp?.sources === sources;
  // Where it is no longer installed, what it once made of these sources is the best there can be.
  const isBySame = !typescript || stamp?.typescript === typescript.version;
  if (isOfThese && isBySame && stamp.made === hashOfMade(dist)) return "up to date";
  if (!typescript) return "cannot";
  console.error("Compiling charnn");
  removeStamp(stampFile);
  // TypeScript compiles what has changed since it last did, and does not see that something of it is missing.
  const isAll = !stamp || isOfThese || sourcesIn(root).some((it) => !isCompiled(dist, it));
  const args = [typescript.program, "--build", ...(isAll ? ["--force"] : [])];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) return "failed";
  if (!(await bundlePrograms())) return "cannot";
  writeStamp(stampFile, { sources, typescript: typescript.version, made: hashOfMade(dist) });
  return "compiled";
}

function settingsIn(root) {
  return SETTINGS.filter((file) => existsSync(join(root, file)));
}

function sourcesIn(root) {
  return filesBelow(join(root, "src"));
}

function isCompiled(dist, source) {
  return !source.endsWith(".ts") || existsSync(join(dist, source.replace(/ts$/, "js")));
}

/** Of all but what TypeScript keeps there for itself. */
function hashOfMade(dist) {
  return hashOf(
    dist,
    filesBelow(dist, (path) => !/\.(tsbuildinfo|stamp)$/.test(path)),
  );
}

/** With the types that it reads: npm may leave these out, and install TypeScript for another package. */
function installedTypeScript(root) {
  const { devDependencies } = readJson(join(root, "package.json"));
  const needed = Object.keys(devDependencies).filter((name) => /^typescript$|^@types\//.test(name));
  const manifestOf = (name) => join(root, "node_modules", name, "package.json");
  if (!needed.every((name) => existsSync(manifestOf(name)))) return undefined;
  const { version } = readJson(manifestOf("typescript"));
  return { version, program: join(root, "node_modules", "typescript", "bin", "tsc") };
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
