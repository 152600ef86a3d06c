import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import * as nodeFileSystem from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { cleanUpOnFailure, thenCleanUp } from "../clean-up.js";
import { retryWhileInUse, type System } from "../in-use.js";
import { systemErrorCode } from "../system-error-code.js";
import { notReadable, notWritable } from "../system-errors.js";

/** The file-system calls that a durable write is made of. */
export type FileSystem = Pick<typeof nodeFileSystem, "copyFile" | "open" | "rename" | "rm"> & {
  /** This one when left out. */
  readonly system?: System;
};

/** The parts of a file, in order. Each is valid until the next one is read. */
type Pieces = readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/** Linux writes no more than 2 GiB in one call. */
const MAX_WRITE_BYTES = 2 ** 30;
/** Of a name, so that what is added to it fits the 255 bytes that file systems allow. */
const MAX_NAME_BYTES = 200;
/** A temporary file that nobody has touched for this long is not being written. */
const STALE_MILLISECONDS = 3_600_000;
/**
 * The name of a temporary file: that of the file it becomes, and a random number. Earlier versions have the
 * number of a process there.
 */
const TEMPORARY = /^\.(.+)\.(?:[0-9a-f]{16}|\d{1,10})\.tmp$/;
/**
 * What only the process that holds the run may be writing: its files, and locks. A process that waits for the
 * run makes its lock again.
 */
const RUN_FILE = /\.(?:safetensors|jsonl)$|^lock\.[^.]+$/;

/** Whether a name is that of something that is being written, or was when a process ended. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Whether it is that of a file or lock of a run. */
export function isTemporaryOfRun(name: string): boolean {
  return RUN_FILE.test(TEMPORARY.exec(name)?.[1] ?? "");
}

/** What this process is writing: the temporary file for each path. */
const inProgress = new Map<string, string>();

interface DurableOptions {
  /** How the user chooses another place, see `cureOf`. */
  readonly elsewhere?: string;
  /** Of a new file. */
  readonly mode?: number | undefined;
  /** Called when all is written, right before each attempt to put it in its place; throws where it must not. */
  readonly beforeRename?: (() => Promise<void>) | undefined;
}

/**
 * Writes a file so that at every instant the path holds either the old whole file or the new whole
 * one, whatever kills the process or the machine. A file is written by one process at a time.
 *
 * Own code, because the packages for this trust that one write call writes everything, and leave the
 * folder, where the new name is kept, unsynced.
 *
 * @param pieces what the file will hold, one after the other
 * @throws CharnnError `NOT_WRITABLE`; the old file is untouched then, unless only the last step
 *   failed, which makes sure that the new one outlasts a power failure. `isInUse` holds for the error where
 *   another program has the old file open.
 */
export async function writeDurably(
  path: string,
  pieces: Pieces,
  fileSystem: FileSystem = nodeFileSystem,
  options: DurableOptions = {},
): Promise<void> {
  const fill = (file: string) => writeNew(file, pieces, fileSystem, options.mode);
  await replaceFile(path, fill, fileSystem, options);
}

/**
 * The same with what another file holds. Some file systems (APFS, Btrfs, XFS) store both only once, until one of them is
 * changed.
 *
 * @throws CharnnError `NOT_WRITABLE` also when there is no file `source`
 */
export async function copyDurably(
  source: string,
  path: string,
  fileSystem: FileSystem = nodeFileSystem,
  options: Pick<DurableOptions, "beforeRename"> = {},
): Promise<void> {
  const fill = async (file: string) => {
    await fileSystem.copyFile(source, file, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await syncFile(file, fileSystem);
  };
  await replaceFile(path, fill, fileSystem, options);
}

/** @param fill writes a new file, and makes sure that it outlasts a power failure */
async function replaceFile(
  path: string,
  fill: (temporary: string) => Promise<void>,
  fileSystem: FileSystem,
  { elsewhere, beforeRename }: DurableOptions,
): Promise<void> {
  const target = resolve(path);
  if (inProgress.has(target)) throw new Error(`Two writes of ${path} at once.`);
  const temporary = temporaryFor(target);
  inProgress.set(target, temporary);
  try {
    await cleanUpOnFailure(
      async () => {
        await fill(temporary);
        await retryWhileInUse(async () => {
          await beforeRename?.();
          await renameOrSayWhy(fileSystem, temporary, path, beforeRename);
        }, fileSystem.system);
        await syncFolder(dirname(target), fileSystem);
      },
      () => fileSystem.rm(temporary, { force: true }),
    );
  } catch (error) {
    throw systemErrorCode(error) === undefined ? error : notWritable(path, error, elsewhere);
  } finally {
    inProgress.delete(target);
  }
}

/** Another process that takes over a run removes the temporary file of the one that had it. */
async function renameOrSayWhy(
  fileSystem: FileSystem,
  temporary: string,
  path: string,
  check: DurableOptions["beforeRename"],
): Promise<void> {
  try {
    await fileSystem.rename(temporary, path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") await check?.();
    throw error;
  }
}

/**
 * Makes a folder, and those around it that are missing, so that they outlast a power failure.
 *
 * Own code, because Node's recursive `mkdir` never comes back where no folder can be made (`/proc`).
 *
 * @returns the outermost folder that was made; undefined when all were there
 * @throws CharnnError `NOT_WRITABLE`; the folders that were made before are removed again
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  const made: string[] = [];
  const removeMade = async () => {
    for (const folder of made.reverse()) await nodeFileSystem.rmdir(folder);
  };
  try {
    await cleanUpOnFailure(() => makeWithParents(path, made), removeMade);
  } catch (error) {
    throw notWritable(path, error);
  }
  return made[0];
}

/**
 * Removes temporary files that killed processes left in a run's folder. Those of the run's own files and of
 * its locks are leftovers, as the run is this process's; others may be written by a process just now.
 *
 * @param folder of a run that this process has locked
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const ours = new Set(inProgress.values());
  for (const name of await namesIn(folder)) {
    const [, target] = TEMPORARY.exec(name) ?? [];
    const path = join(resolve(folder), name);
    if (target === undefined || ours.has(path)) continue;
    if (!RUN_FILE.test(target) && !(await isStale(path))) continue;
    // A process that waits for the run may be filling the folder of its lock.
    const options = { recursive: true, force: true, maxRetries: 3 };
    await nodeFileSystem.rm(path, options).catch((error: unknown) => {
      throw notWritable(path, error);
    });
  }
}

/** Removes what processes that were killed while they wrote `path` have left beside it. */
export async function removeStaleTemporaries(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  const own = shortened(basename(path));
  for (const name of await namesIn(folder)) {
    const temporary = join(folder, name);
    if (TEMPORARY.exec(name)?.[1] !== own || !(await isStale(temporary))) continue;
    await removeFile(temporary);
  }
}

/**
 * Removes a file where there is one. `rm` of Node.js takes a file that it may not remove for a folder, and
 * then says that it is none.
 */
export async function removeFile(path: string): Promise<void> {
  try {
    await retryWhileInUse(() => nodeFileSystem.unlink(path));
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await nodeFileSystem.readdir(folder);
  } catch (error) {
    throw notReadable(folder, error);
  }
}

/** A path beside `path` that no other process on any machine uses. */
export function temporaryFor(path: string): string {
  const name = shortened(basename(path));
  return join(dirname(path), `.${name}.${randomBytes(8).toString("hex")}.tmp`);
}

/** As much of a name as leaves room for what is added to it, in whole characters. */
function shortened(name: string): string {
  let [bytes, kept] = [0, ""];
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_NAME_BYTES) break;
    kept += character;
  }
  return kept;
}

async function isStale(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await nodeFileSystem.lstat(path);
    return Date.now() - mtimeMs > STALE_MILLISECONDS;
  } catch {
    // Whoever wrote it has renamed or removed it.
    return false;
  }
}

/** @param made gets the folders that were made, the outermost first */
async function makeWithParents(path: string, made: string[]): Promise<void> {
  try {
    await makeOne(path, made);
    return;
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  await makeWithParents(dirname(path), made);
  await makeOne(path, made);
}

async function makeOne(path: string, made: string[]): Promise<void> {
  try {
    await nodeFileSystem.mkdir(path);
  } catch (error) {
    const isThere = systemErrorCode(error) === "EEXIST";
    if (isThere && (await nodeFileSystem.stat(path)).isDirectory()) return;
    throw error;
  }
  made.push(path);
  try {
    await syncFolder(dirname(resolve(path)), nodeFileSystem);
  } catch (error) {
    // One may make folders where one may not look.
    if (systemErrorCode(error) !== "EACCES") throw error;
  }
}

async function writeNew(
  path: string,
  pieces: Pieces,
  fileSystem: FileSystem,
  mode: number | undefined,
): Promise<void> {
  // "wx" never follows a link that somebody put there.
  const file = await fileSystem.open(path, "wx", mode);
  await thenCleanUp(
    async () => {
      for await (const piece of pieces) {
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

async function syncFile(path: string, fileSystem: FileSystem): Promise<void> {
  // Windows syncs only what may be written.
  const file = await fileSystem.open(path, "r+");
  await thenCleanUp(
    () => file.sync(),
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
    if (!["EINVAL", "EISDIR", "EPERM"].includes(systemErrorCode(error) ?? "")) throw error;
  }
}
