import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { systemErrorCode } from "./system-error-code.js";

/**
 * What tells a process from all others. A number alone does not: a later process may have it, and so may
 * one in another container, or on another host that shares a folder.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, see {@link startOf}. */
  readonly start?: string | undefined;
  readonly host: string;
  /** Of the system since it was started, the same in all its containers; only Linux tells. */
  readonly boot?: string | undefined;
  /** Where its number means it; only Linux tells. */
  readonly namespace?: string | undefined;
}

export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    start: startOf(process.pid),
    host: hostname(),
    boot: orUndefined(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()),
    namespace: orUndefined(() => readlinkSync("/proc/self/ns/pid")),
  };
}

/** Whether a process still runs; undefined where it can't be told from here. */
export function isStillRunning(other: ProcessIdentity): boolean | undefined {
  return numbersAreShared(other, thisProcess()) ? isRunning(other.pid, other.start) : undefined;
}

/** Whether two processes surely see the same processes by the same numbers. */
export function numbersAreShared(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return (
    areOnOneSystem(a, b) &&
    a.namespace !== undefined &&
    a.namespace === b.namespace &&
    // A namespace that has ended may leave its name to another, with other processes.
    a.start !== undefined &&
    b.start !== undefined
  );
}

/** Whether two processes surely run on the same system, be it in different containers. */
export function areOnOneSystem(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.boot !== undefined && a.boot === b.boot;
}

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
  return orUndefined(() => {
    const status = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The 2nd field, the program's name in parentheses, may hold spaces and parentheses itself.
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], start: fields[19] };
  });
}

function orUndefined<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
