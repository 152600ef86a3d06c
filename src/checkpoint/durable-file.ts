import * as nodeFileSystem from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { thenCleanUp } from "../clean-up.js";
import { systemErrorCode } from "../errors.js";
import { isRunning } from "../processes.js";
import { notWritable } from "../system-errors.js";

/** The file-system calls that a durable write is made of. */
export type FileSystem = Pick<typeof nodeFileSystem, "open" | "rename" | "rm">;

/** Linux writes no more than 2 GiB in one call. */
const MAX_WRITE_BYTES = 2 ** 30;

/** Temporary files that this process is writing. */
const inProgress = new Set<string>();

/**
 * Writes a file so that at every instant the path holds either the old whole file or the new whole
 * one, whatever kills the process or the machine. A file is written by one process at a time.
 *
 * Own code, because the packages for this trust that one write call writes everything, and leave the
 * folder, where the new name is kept, unsynced.
 *
 * @param pieces what the file will hold, one after the other
 * @throws CharnnError `NOT_WRITABLE`; the old file is untouched then, unless only the last step
 *   failed, which makes sure that the new one outlasts a power failure.
 */
export async function writeDurably(
  path: string,
  pieces: readonly Uint8Array[],
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const folder = dirname(resolve(path));
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  if (inProgress.has(temporary)) throw new Error(`Two writes of ${path} at once.`);
  inProgress.add(temporary);
  try {
    // Left by a process that was killed and had the number of this one, as happens in containers.
    await fileSystem.rm(temporary, { force: true });
    await writeNew(temporary, pieces, fileSystem);
    await fileSystem.rename(temporary, path);
    await syncFolder(folder, fileSystem);
  } catch (error) {
    await fileSystem.rm(temporary, { force: true }).catch(() => {});
    throw systemErrorCode(error) === undefined ? error : notWritable(path, error);
  } finally {
    inProgress.delete(temporary);
  }
}

/**
 * Makes a folder, and those around it that are missing.
 *
 * Own code, because Node's recursive `mkdir` never comes back where no folder can be made (`/proc`).
 *
 * @returns the outermost folder that was made; undefined when all were there
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await makeWithParents(path);
  } catch (error) {
    throw notWritable(path, error);
  }
}

/** Removes what processes that were killed left in `folder` under temporary names. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await nodeFileSystem.readdir(folder)) {
    const pid = Number(/^\..+\.(\d{1,10})\.tmp$/.exec(name)?.[1] ?? Number.NaN);
    const path = join(resolve(folder), name);
    const isOurs = pid === process.pid;
    if (Number.isNaN(pid) || (isOurs ? inProgress.has(path) : isRunning(pid))) continue;
    await nodeFileSystem.rm(path, { recursive: true, force: true });
  }
}

async function makeWithParents(path: string): Promise<string | undefined> {
  try {
    return await makeOne(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  const outermost = await makeWithParents(dirname(path));
  const made = await makeOne(path);
  return outermost ?? made;
}

async function makeOne(path: string): Promise<string | undefined> {
  try {
    await nodeFileSystem.mkdir(path);
    return path;
  } catch (error) {
    const isThere = systemErrorCode(error) === "EEXIST";
    if (isThere && (await nodeFileSystem.stat(path)).isDirectory()) return undefined;
    throw error;
  }
}

async function writeNew(
  path: string,
  pieces: readonly Uint8Array[],
  fileSystem: FileSystem,
): Promise<void> {
  // "wx" never follows a link that somebody put there.
  const file = await fileSystem.open(path, "wx");
  await thenCleanUp(
    async () => {
      for (const piece of pieces) {
        for (let written = 0; written < piece.length; ) {
          const length = Math.min(piece.length - written, MAX_WRITE_BYTES);
          written += (await file.write(piece, written, length)).bytesWritten;
        }
      }
      await file.sync();
    },
    () => file.close(),
  );
}

/** Makes a renaming last. Some file systems, and Windows, can't and need not sync a folder. */
async function syncFolder(path: string, fileSystem: FileSystem): Promise<void> {
  try {
    const folder = await fileSystem.open(path, "r");
    await thenCleanUp(
      () => folder.sync(),
      () => folder.close(),
    );
  } catch (error) {
    if (!["EINVAL", "EPERM"].includes(systemErrorCode(error) ?? "")) throw error;
  }
}
