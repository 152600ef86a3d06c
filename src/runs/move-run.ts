import { lstat, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CharnnError } from "../errors.js";
import { isAbsent } from "../files/folder-names.js";
import { notReadable } from "../system-errors.js";
import { renameLocked } from "./remove-run.js";
import { type RunFolder, runFolder } from "./run-folder.js";
import { refuseUnsafeName } from "./run-name.js";

/**
 * Gives a run another name, in the folder in which it is.
 *
 * @returns the run as it is called now
 * @throws CharnnError `INVALID_SETTING` for a name that not every system can have, `RUN_EXISTS` for one that is
 *   taken and for a run that is being trained, `NOT_WRITABLE` for a folder that is a link
 */
export async function moveRun(
  folder: RunFolder,
  name: string,
  signal?: AbortSignal,
): Promise<RunFolder> {
  const to = folderNamed(dirname(folder.path), name);
  const stats = await lstat(folder.path).catch((error: unknown) => {
    throw notReadable(folder.path, error);
  });
  if (!stats.isDirectory()) {
    const message = `${folder.path} is a link: it is not renamed.`;
    throw new CharnnError("NOT_WRITABLE", message, "Name the folder that it leads to.");
  }
  if (!(await isAbsent(to.path)) && !(await isSame(folder.path, to.path))) {
    throw new CharnnError(
      "RUN_EXISTS",
      `There is something called ${name} already: ${to.path}.`,
      "Choose another name.",
    );
  }
  await renameLocked(folder, to.path, signal);
  return to;
}

/** Here the name is no setting, but what was asked for. */
function folderNamed(out: string, name: string): RunFolder {
  try {
    refuseUnsafeName(name);
    return runFolder(out, name);
  } catch (error) {
    if (!(error instanceof CharnnError)) throw error;
    const hint = "Choose another one, made of letters, digits, dots and dashes.";
    throw new CharnnError(error.code, `The ${error.message}`, hint, { cause: error });
  }
}

/** Whether two names mean one folder, as `Night` and `night` do on some systems. */
async function isSame(one: string, other: string): Promise<boolean> {
  if (one === other) return false;
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  return a.ino === b.ino && a.dev === b.dev;
}
