import { rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { cleanUp, cleanUpOnFailure } from "../clean-up.js";
import { makeFolder, removeLeftovers } from "../files/durable-file.js";
import { systemErrorCode } from "../system-error-code.js";
import { lockRun, type RunLock } from "./lock.js";
import type { RunFolder } from "./run-folder.js";
import { refuseUnsafeFolder } from "./run-name.js";

/**
 * Makes a run's folder, where there is none, and takes it for this process. When it is released, folders that
 * were made for it and hold nothing go again.
 *
 * @param signal ends the waiting for another process; its reason is thrown
 * @throws CharnnError `RUN_EXISTS` where another process has the run, `INVALID_SETTING` for a name that not
 *   every system can have, and `NOT_WRITABLE`
 */
export async function claimRun(
  folder: RunFolder,
  signal: AbortSignal | undefined,
): Promise<RunLock> {
  await refuseUnsafeFolder(folder);
  const firstMade = await makeFolder(folder.path);
  const removeMade = async () => {
    if (firstMade) await removeEmpty(resolve(folder.path), resolve(firstMade));
  };
  const lock = await cleanUpOnFailure(() => lockRun(folder, signal), removeMade);
  const release = () => cleanUp(lock.release, removeMade);
  await cleanUpOnFailure(() => removeLeftovers(folder.path), release);
  return { ...lock, release };
}

/** Removes a folder and those around it up to `outermost`, as far as they are empty. */
async function removeEmpty(folder: string, outermost: string): Promise<void> {
  try {
    for (let path = folder; path.startsWith(outermost); path = dirname(path)) await rmdir(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOTEMPTY") throw error;
  }
}
