/** Whether the addon has to be compiled again: what it was made from, beside it. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow, hashOf, hashOfFile, readStamp, removeStamp, writeStamp } from "../stamp.js";
import { findCompiler } from "./compiler.js";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));
/** In `native/`: what is not compiled into the addon. */
const OTHERS = /^(build|fuzz|test|wasm)\/|\.md$/;
/** They hold the compiler's options. */
const SCRIPTS = ["scripts/build-native.js", "scripts/native/platforms.js"];

/** @returns {string | undefined} the folder of Node's headers; undefined where they are not installed */
export function nodeHeaders() {
  try {
    return require("node-api-headers").include_dir;
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * What the addon would be made from now. Of the sources and headers it is a hash; they may be on another path.
 *
 * @param {import("./compiler.js").Compiler} [compiler]
 */
export function madeFrom(compiler) {
  const native = filesBelow(join(root, "native"), (path) => !OTHERS.test(path));
  const headers = nodeHeaders();
  return {
    sources: hashOf(root, [...native.map((path) => `native/${path}`), ...SCRIPTS]),
    headers: headers && hashOf(headers, filesBelow(headers)),
    compiler: compiler?.identity,
  };
}

/**
 * Whether the addon is whole, and made of what is there now. What is not there any more, the compiler or the
 * headers, could not make another: it is not compared.
 *
 * @param {string} addon - the path of its file
 */
export async function isUpToDate(addon) {
  const stamp = readStamp(stampOf(addon));
  if (!stamp || stamp.addon !== hashOfFile(addon)) return false;
  const compiler = await findCompiler().catch(() => undefined);
  return Object.entries(madeFrom(compiler)).every(
    ([what, now]) => now === undefined || now === stamp[what],
  );
}

/** Before the addon is replaced. */
export function forget(addon) {
  removeStamp(stampOf(addon));
}

/** @param made - of {@link madeFrom}, from before it was compiled */
export function remember(addon, made) {
  writeStamp(stampOf(addon), { ...made, addon: hashOfFile(addon) });
}

function stampOf(addon) {
  return `${addon}.stamp`;
}
