/** What charnn has put into a run's folder, and what somebody else has. */
import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { CharnnError } from "../errors.js";
import { isTemporaryOfRun } from "../files/durable-file.js";
import { namesIn } from "../files/folder-names.js";
import { BEST, LAST, STEP_FILE } from "../run-files.js";
import { notReadable } from "../system-errors.js";
import { EVENT_FILE_PREFIX, METRICS, type RunFolder } from "./run-folder.js";

const LOCK = ".lock";
/** Reports of an earlier start of the run. */
const METRICS_ASIDE = /^metrics\.\d+\.jsonl$/;
const NAMES_IN_MESSAGE = 3;

/** What is in a run's folder, all of it charnn's. */
export interface OwnFiles {
  readonly files: readonly string[];
  /** Locks: folders with files in them. */
  readonly folders: readonly string[];
  /** Of all files. */
  readonly bytes: number;
}

/**
 * What is in a run's folder.
 *
 * @param what is to be done with the run, for the error: `removed`
 * @throws CharnnError `NOT_WRITABLE` for a folder that is a link, or has anything in it that charnn did not make
 */
export async function ownFilesOf({ path }: RunFolder, what: string): Promise<OwnFiles> {
  if (!(await statsOf(path)).isDirectory()) {
    throw new CharnnError(
      "NOT_WRITABLE",
      `${path} is a link, and what it leads to is not ${what}.`,
      "Name the folder that it leads to.",
    );
  }
  const files: string[] = [];
  const folders: string[] = [];
  const foreign: string[] = [];
  let bytes = 0;
  for (const name of (await namesIn(path)) ?? []) {
    const stats = await statsOf(join(path, name));
    if (stats.isFile() && (isOwnFile(name) || isTemporaryOfRun(name))) {
      files.push(join(path, name));
      bytes += stats.size;
    } else if (stats.isDirectory() && (name === LOCK || isTemporaryOfRun(name))) {
      folders.push(join(path, name));
    } else foreign.push(name);
  }
  if (foreign.length > 0) throw notOurs(path, foreign, what);
  return { files, folders, bytes };
}

function isOwnFile(name: string): boolean {
  return (
    [LAST, BEST, METRICS].includes(name) ||
    STEP_FILE.test(name) ||
    METRICS_ASIDE.test(name) ||
    name.startsWith(EVENT_FILE_PREFIX)
  );
}

async function statsOf(path: string): Promise<Stats> {
  return lstat(path).catch((error: unknown) => {
    throw notReadable(path, error);
  });
}

function notOurs(path: string, names: readonly string[], what: string): CharnnError {
  const shown = names.slice(0, NAMES_IN_MESSAGE).map((name) => JSON.stringify(name));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  return new CharnnError(
    "NOT_WRITABLE",
    `${path} has something in it that charnn did not make, so it is not ${what}: ${shown.join(", ")}${more}.`,
    "Move that elsewhere first.",
  );
}
