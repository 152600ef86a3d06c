/** What to type where charnn can't be loaded, since a file or a package is missing. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/**
 * @param {Error} error - of code `ERR_MODULE_NOT_FOUND`
 * @returns {string} a line
 */
export function whatIsMissing(error) {
  const isPackage = /^Cannot find package /.test(error.message);
  const what = isPackage ? "the packages that it needs are not installed" : "it is not compiled";
  if (!has("scripts/set-up.js"))
    return `charnn can't start: a part of it is missing. Install it again.`;
  return `charnn can't start: ${what}. In ${fileURLToPath(ROOT)}, run: ${cure(isPackage)}`;
}

function cure(isPackage) {
  // Where npm runs no scripts, all that compiles it is there.
  if (!isPackage && hasDevelopmentDependencies()) return "npm run prepare";
  const withoutDevelopment = has("node_modules") || process.env.NODE_ENV === "production";
  return withoutDevelopment ? "npm ci --include=dev" : "npm ci";
}

function hasDevelopmentDependencies() {
  const { devDependencies } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8"));
  return Object.keys(devDependencies).every((name) => has(`node_modules/${name}`));
}

function has(path) {
  return existsSync(new URL(path, ROOT));
}
