import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { cleanUpOnFailure, thenCleanUp } from "../clean-up.js";
import { CharnnError, systemErrorCode } from "../errors.js";
import { notWritable } from "../system-errors.js";

// A link may lead to a file that charnn did not make. Windows knows no such flag.
const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW = 0 } = constants;

/**
 * Adds bytes to the end of a file, which is made where there is none. Where only some of them can be
 * written, as on a full disk, none are left.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function appendWhole(path: string, bytes: string | Uint8Array): Promise<void> {
  try {
    const file = await open(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW);
    await thenCleanUp(
      async () => {
        const { size } = await file.stat();
        await cleanUpOnFailure(
          () => file.appendFile(bytes),
          () => file.truncate(size),
        );
      },
      () => file.close(),
    );
  } catch (error) {
    if (systemErrorCode(error) !== "ELOOP") throw notWritable(path, error);
    throw new CharnnError(
      "NOT_WRITABLE",
      `${path} can't be written: it is a link, and would change another file.`,
      "Remove the link, or choose another folder with --out.",
      { cause: error },
    );
  }
}
