import * as nodeFileSystem from "node:fs/promises";
import { CharnnError } from "../errors.js";
import { systemErrorCode } from "../system-error-code.js";
import { notReadable } from "../system-errors.js";

/** A name that others make and remove this many times is not waited for. */
const MAX_ATTEMPTS = 20;

/** The file-system calls that tell what is there. */
export type FolderReader = Pick<typeof nodeFileSystem, "readdir" | "lstat">;

/**
 * The names in a folder; undefined where there is nothing of that name.
 *
 * Only ENOENT means that. After any other error (no permission, a stale mount) the contents are unknown,
 * so it is thrown: an unreadable folder must not be taken for an empty one.
 *
 * @throws CharnnError `NOT_READABLE`, or `NOT_FOUND` below a file
 */
export async function namesIn(
  path: string,
  fileSystem: FolderReader = nodeFileSystem,
): Promise<string[] | undefined> {
  try {
    return await unlessAbsent(path, () => fileSystem.readdir(path), fileSystem);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * What `read` finds at a path; undefined where nothing has this name, not even a link that leads nowhere.
 *
 * @param read is called again where another process has made what it did not find
 * @throws the error of the system, which is ENOENT for such a link
 */
export async function unlessAbsent<Found>(
  path: string,
  read: () => Promise<Found>,
  fileSystem: Pick<FolderReader, "lstat"> = nodeFileSystem,
): Promise<Found | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") throw error;
      const stats = await fileSystem.lstat(path).catch((cause: unknown) => {
        if (systemErrorCode(cause) !== "ENOENT") throw cause;
      });
      if (!stats) return undefined;
      if (stats.isSymbolicLink() || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/**
 * Whether nothing has this name, not even a link that leads nowhere.
 *
 * @throws CharnnError `NOT_READABLE` where that can't be told
 */
export async function isAbsent(
  path: string,
  fileSystem: Pick<FolderReader, "lstat"> = nodeFileSystem,
): Promise<boolean> {
  try {
    return (await unlessAbsent(path, () => fileSystem.lstat(path), fileSystem)) === undefined;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The error where the system does not tell what is there. */
export function unreadable(path: string, cause: unknown): CharnnError {
  const code = systemErrorCode(cause);
  if (code === "ENOTDIR") {
    const message = `${path} is no folder that can be read: it is a file, or lies below one.`;
    return new CharnnError("NOT_FOUND", message, "Choose another folder with `out`.", { cause });
  }
  if (code !== "ENOENT") return notReadable(path, cause);
  const message = `${path} can't be read: it is a link to something that is not there.`;
  return new CharnnError("NOT_READABLE", message, "Mend or remove the link.", { cause });
}
