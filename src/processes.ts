import { readFileSync } from "node:fs";
import { systemErrorCode } from "./errors.js";

/**
 * When a process started, in the system's clock ticks since boot, so that a process is not taken for
 * an earlier one that had its number. Undefined where the system does not tell (all but Linux), or
 * where no such process runs.
 */
export function startOf(pid: number): string | undefined {
  return linuxStatus(pid)?.start;
}

/** Whether a process of this number runs; with `start`, the one that started then. */
export function isRunning(pid: number, start?: string): boolean {
  try {
    // Signal 0 is not delivered, only checked.
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user may not be signalled, but is there.
    if (systemErrorCode(error) !== "EPERM") return false;
  }
  const status = linuxStatus(pid);
  if (status === undefined) return true;
  // A zombie has ended; its parent just has not looked yet.
  return status.state !== "Z" && (start === undefined || start === status.start);
}

/** From /proc/PID/stat: the state and the start time are the 3rd and 22nd fields. */
function linuxStatus(pid: number): { state: string; start: string } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The 2nd field, the program's name in parentheses, may hold spaces and parentheses itself.
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], start: fields[19] };
  } catch {
    return undefined;
  }
}
