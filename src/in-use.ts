/**
 * Files that another program has open. Windows refuses to rename over one, and to open or remove one that a
 * virus scanner or an editor keeps to itself; mostly they are free again within a moment. Other systems do
 * not, and there the same errors mean what they say.
 */

import { setTimeout } from "node:timers/promises";

/** Milliseconds from one attempt to the next: two seconds in all. */
export const PAUSES: readonly number[] = [20, 40, 80, 160, 320, 640, 740];
/** What Windows calls it; it says the same where permission is denied. */
const IN_USE: ReadonlySet<string> = new Set(["EPERM", "EACCES", "EBUSY"]);

/** The system that calls are made to, and how time passes there. */
export interface System {
  readonly platform: NodeJS.Platform;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** The errors that were left after all attempts. */
const lasting = new WeakSet<object>();

/**
 * Repeats a call that Windows refuses as long as another program has the file open, with growing pauses.
 *
 * @throws what the call throws: at once where that means something else, and after two seconds otherwise
 */
export async function retryWhileInUse<Result>(
  call: () => Promise<Result>,
  { platform, sleep }: System = { platform: process.platform, sleep: setTimeout },
): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (platform !== "win32" || !IN_USE.has((error as NodeJS.ErrnoException).code ?? "")) {
        throw error;
      }
      if (attempt === PAUSES.length) {
        lasting.add(error as NodeJS.ErrnoException);
        throw error;
      }
    }
    await sleep(PAUSES[attempt]);
  }
}

/** Whether an error, or its cause, is that of a file which another program seems to have open for long. */
export function isInUse(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return lasting.has(error) || isInUse(error.cause);
}
