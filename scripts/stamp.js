/**
 * A stamp says what something was made from. It is kept beside what was made, so that this is made again only
 * where something has changed. Contents count, not times: those of a copied clone and of another branch are new.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, sep } from "node:path";

/**
 * @param {string} folder
 * @param {(path: string) => boolean} [isWanted] - called with the path in the folder, with slashes
 * @returns {string[]} the paths in the folder of all files below it, sorted; none where there is no such folder
 */
export function filesBelow(folder, isWanted = () => true) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((path) => path.replaceAll(sep, "/"))
    .filter((path) => isWanted(path) && statSync(join(folder, path)).isFile())
    .sort();
}

/** The SHA-256 of the names and contents of files in a folder, in hexadecimal. */
export function hashOf(folder, files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = readFileSync(join(folder, file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** The SHA-256 of a file's content; undefined where it can't be read. */
export function hashOfFile(path) {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch {
    return undefined;
  }
}

/** Undefined where there is none, or no whole one. */
export function readStamp(path) {
  try {
    const stamp = JSON.parse(readFileSync(path, "utf8"));
    return typeof stamp === "object" && stamp !== null ? stamp : undefined;
  } catch {
    return undefined;
  }
}

/** Before something is made again: what is there from then on is unfinished. */
export function removeStamp(path) {
  rmSync(path, { force: true });
}

export function writeStamp(path, stamp) {
  const unfinished = `${path}.${process.pid}.tmp`;
  writeFileSync(unfinished, `${JSON.stringify(stamp, null, 2)}\n`);
  renameSync(unfinished, path);
}
