import { readdir, rename, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cleanUpOnFailure } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { isTemporary, removeFile, temporaryFor } from "../files/durable-file.js";
import { namesIn } from "../files/folder-names.js";
import { retryWhileInUse } from "../in-use.js";
import { systemErrorCode } from "../system-error-code.js";
import { notWritable } from "../system-errors.js";
import { lockRun, watchTraining } from "./lock.js";
import { type OwnFiles, ownFilesOf } from "./own-files.js";
import { folderAt, type RunFolder } from "./run-folder.js";

/**
 * Whether a run can be removed: what is in its folder is all charnn's, and no process trains it.
 *
 * @throws CharnnError `NOT_WRITABLE` or `RUN_EXISTS` where it can't
 */
export async function checkRemovable(folder: RunFolder): Promise<OwnFiles> {
  const own = await ownFilesOf(folder, "removed");
  if (!(await watchTraining(folder)())) return own;
  throw new CharnnError(
    "RUN_EXISTS",
    `The run ${folder.name} is being trained: it is not removed.`,
    "Stop its training first, by Ctrl-C there.",
  );
}

/**
 * Removes a run and its folder. At every instant there is the whole run or none of it: the folder is renamed
 * first, to a name that no command takes for a run.
 *
 * @returns the bytes of its files
 * @throws CharnnError as {@link checkRemovable} does, and then nothing is changed
 */
export async function removeRun(folder: RunFolder, signal?: AbortSignal): Promise<number> {
  await checkRemovable(folder);
  const aside = folderAt(dirname(folder.path), temporaryNameFor(folder));
  await renameLocked(folder, aside.path, signal);
  const putBack = () => retryWhileInUse(() => rename(aside.path, folder.path));
  // What came into it until now.
  const own = await cleanUpOnFailure(() => ownFilesOf(aside, "removed"), putBack);
  await removeAll(aside, own);
  return own.bytes;
}

/** Removes what is left of runs in `out` whose removal was interrupted. */
export async function finishRemovals(out: string): Promise<void> {
  for (const name of (await namesIn(out)) ?? []) {
    if (!isTemporary(name)) continue;
    const folder = folderAt(out, name);
    // Anything else that has such a name is none of ours.
    const own = await ownFilesOf(folder, "removed").catch(() => undefined);
    if (own) await removeAll(folder, own);
  }
}

/**
 * Gives the folder of a run another name, when no process trains it and none can begin to.
 *
 * @throws CharnnError `RUN_EXISTS` where a process trains it, `NOT_WRITABLE`
 */
export async function renameLocked(
  folder: RunFolder,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const lock = await lockRun(folder, signal);
  // Windows renames no folder with an open file in it, such as a lock: also none that is trained again by then.
  const isReleasedFirst = process.platform === "win32";
  try {
    if (isReleasedFirst) await lock.release();
    await retryWhileInUse(() => rename(folder.path, path));
  } catch (error) {
    throw notWritable(folder.path, error);
  } finally {
    await lock.release();
  }
  if (!isReleasedFirst) await removeLock(join(path, ".lock"));
}

/** Removes a lock that is this process's own, in a folder that was renamed since. */
async function removeLock(lock: string): Promise<void> {
  for (const name of await readdir(lock).catch(() => [])) await removeFile(join(lock, name));
  await rmdir(lock).catch(() => {});
}

function temporaryNameFor({ path }: RunFolder): string {
  const temporary = temporaryFor(path);
  return temporary.slice(dirname(temporary).length + 1);
}

async function removeAll({ path }: RunFolder, { files, folders }: OwnFiles): Promise<void> {
  try {
    for (const file of files) await removeFile(file);
    for (const folder of folders) await removeLock(folder);
    await retryWhileInUse(() => rmdir(path));
  } catch (error) {
    // Another process finishes the same removal.
    if (systemErrorCode(error) !== "ENOENT") throw notWritable(path, error);
  }
}
