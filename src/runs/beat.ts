import { closeSync, openSync, writeSync } from "node:fs";
import type { ProcessIdentity } from "../processes.js";

/** Who has a run, as the file in the run's lock says it. */
export interface LockHolder extends ProcessIdentity {
  /** Whether the system holds this file locked for the process. */
  readonly locksFile: boolean;
  /** Changes every second while the process is there; undefined where an earlier version does not write it. */
  readonly beat?: string | undefined;
}

/** How often a holder shows that it is there. */
export const MILLISECONDS_PER_BEAT = 1_000;
const BEAT_DIGITS = 12;

/** The file of a lock, and what it says beside its beat. */
export interface Beating {
  readonly file: string;
  readonly holder: Omit<LockHolder, "beat">;
}

/** What a holder's file says at a beat: always of the same length, so that it can be overwritten in place. */
export function holderText(holder: Omit<LockHolder, "beat">, beat: number): string {
  return JSON.stringify({ ...holder, beat: String(beat).padStart(BEAT_DIGITS) });
}

/** Writes another beat to a lock's file every second, as long as that is there. */
export function beatEverySecond({ file, holder }: Beating): NodeJS.Timeout {
  let beat = 1;
  return setInterval(() => {
    try {
      // Opened each time: what closes a file also sends it to the server of a network folder.
      const descriptor = openSync(file, "r+");
      try {
        writeSync(descriptor, holderText(holder, ++beat), 0);
      } finally {
        closeSync(descriptor);
      }
    } catch {
      // The next beat may get through. A process that takes over a lock removes its file, and the holder checks
      // for that.
    }
  }, MILLISECONDS_PER_BEAT);
}
