import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { cleanUpOnFailure, thenCleanUp } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { retryWhileInUse } from "../in-use.js";
import { systemErrorCode } from "../system-error-code.js";
import { notWritable } from "../system-errors.js";

// A link may lead to a file that charnn did not make. Windows knows no such flag.
const { O_APPEND, O_CREAT, O_RDWR, O_WRONLY, O_NOFOLLOW = 0 } = constants;

/**
 * Adds bytes to the end of a file, which is made where there is none. Where only some of them can be
 * written, as on a full disk, none are left.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function appendWhole(path: string, bytes: string | Uint8Array): Promise<void> {
  await change(path, O_APPEND | O_CREAT | O_WRONLY, async (file) => {
    const { size } = await file.stat();
    await cleanUpOnFailure(
      () => file.appendFile(bytes),
      () => file.truncate(size),
    );
  });
}

/**
 * Cuts off the end of a file, so that it stays cut after a power failure.
 *
 * @param size bytes that are left
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function cutOff(path: string, size: number): Promise<void> {
  await change(path, O_RDWR, async (file) => {
    await file.truncate(size);
    await file.sync();
  });
}

async function change(
  path: string,
  flags: number,
  action: (file: FileHandle) => Promise<void>,
): Promise<void> {
  try {
    if (O_NOFOLLOW === 0) await refuseLink(path);
    const file = await retryWhileInUse(() => open(path, flags | O_NOFOLLOW));
    await thenCleanUp(
      () => action(file),
      () => file.close(),
    );
  } catch (error) {
    if (error instanceof CharnnError) throw error;
    if (systemErrorCode(error) !== "ELOOP") throw notWritable(path, error);
    throw isLink(path, error);
  }
}

/** Before a file is opened, where the system can't refuse a link as it is opened. */
async function refuseLink(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isSymbolicLink()) throw isLink(path);
}

function isLink(path: string, cause?: unknown): CharnnError {
  return new CharnnError(
    "NOT_WRITABLE",
    `${path} can't be written: it is a link, and would change another file.`,
    "Remove the link, or choose another folder with `out`.",
    { cause },
  );
}
