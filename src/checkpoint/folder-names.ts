import * as nodeFileSystem from "node:fs/promises";
import { CharnnError, systemErrorCode } from "../errors.js";
import { notReadable } from "../system-errors.js";

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
    return await fileSystem.readdir(path);
  } catch (error) {
    // A link to what is not there is ENOENT too, but something has this name.
    if (systemErrorCode(error) === "ENOENT" && (await isAbsent(path, fileSystem))) return undefined;
    throw unreadable(path, error);
  }
}

/**
 * Whether nothing has this name, not even a link that leads nowhere.
 *
 * @throws CharnnError `NOT_READABLE` where that can't be told
 */
export async function isAbsent(
  path: string,
  fileSystem: FolderReader = nodeFileSystem,
): Promise<boolean> {
  try {
    await fileSystem.lstat(path);
    return false;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return true;
    throw unreadable(path, error);
  }
}

/** The error where the system does not tell what is there. */
export function unreadable(path: string, cause: unknown): CharnnError {
  if (systemErrorCode(cause) !== "ENOENT") return notReadable(path, cause);
  const message = `${path} can't be read: it is a link to something that is not there.`;
  return new CharnnError("NOT_READABLE", message, "Mend or remove the link.", { cause });
}
