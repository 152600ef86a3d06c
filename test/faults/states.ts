/** Tells whether two runs that were broken off stand the same, so that one of them need not be resumed. */
import { createHash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** Part of the names of temporary files and of locks, another in each process. */
const RANDOM = /[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** What a resume does not depend on, without a limit of time. */
const TIMES = /"(seconds|charsPerSecond)":[\d.e+-]+/g;
/** Says which process holds the run, and when it last said so. */
const LOCK = /\.lock/;
/** The campaign's own. */
const LOG = /\.log$/;

/** The same for folders that differ in nothing but times, random names, and which process is gone. */
export async function stateOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const places = await readdir(folder, { recursive: true });
  const named = places.map((place) => ({ place, name: place.replace(RANDOM, "") }));
  for (const { place, name } of named.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, place);
    if (LOG.test(name)) continue;
    hash.update(`${name}\n`);
    if (LOCK.test(name) || !(await lstat(file)).isFile()) continue;
    const bytes = await readFile(file);
    const isTimed = place.endsWith(".jsonl");
    hash.update(isTimed ? bytes.toString("latin1").replace(TIMES, "") : bytes).update("\n");
  }
  return hash.digest("hex");
}
