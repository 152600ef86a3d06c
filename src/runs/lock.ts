import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import * as nodeFileSystem from "node:fs/promises";
import { type FileHandle, lstat, mkdir, open, rm, rmdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemCalls } from "../backends/native/addon.js";
import { closeRead } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { removeFile, temporaryFor } from "../files/durable-file.js";
import { PAUSES, retryWhileInUse } from "../in-use.js";
import { numbersAreShared, type ProcessIdentity, thisProcess } from "../processes.js";
import { systemErrorCode } from "../system-error-code.js";
import { notReadable, notWritable } from "../system-errors.js";
import { holderText, type LockHolder } from "./beat.js";
import { startHeartbeat } from "./heartbeat.js";
import { HolderWatch, lockOf, ownLocks, unlessGone } from "./lock-holder.js";
import type { RunFolder } from "./run-folder.js";

/** A run that this process holds. */
export interface RunLock {
  /**
   * To be called before anything of the run is changed.
   *
   * @param maxAge milliseconds for which the last answer will do
   * @throws CharnnError `RUN_EXISTS` when the run is no longer this process's own, which was stopped for so
   *   long that another took it for ended
   */
  check(maxAge?: number): Promise<void>;
  /** Lets other processes have the run. */
  release(): Promise<void>;
}

/** The file-system calls by which one of several processes gets a lock. */
type LockFileSystem = Pick<typeof nodeFileSystem, "rename" | "stat">;

const MILLISECONDS_BETWEEN_LOOKS = 250;
/** How it is seen that something else stands in the place of a lock: a file, a link, a folder in it. */
const STRAY = new Set(["EISDIR", "ENOTDIR", "ELOOP"]);
/** Others remove what looks left behind, and for a moment this may look so to them. */
const MAX_ATTEMPTS = 5;

/**
 * Takes a run for this process, so that two trainers never write one. The lock of a process that has ended
 * does not count, wherever it ran. That is known by the system's own lock on a file, which ends with the
 * process, or by the process's number where that means the same; else it is seen within some seconds by
 * whether the process still beats.
 *
 * @param folder must be there
 * @param signal ends the waiting; its reason is thrown
 * @throws CharnnError `RUN_EXISTS` naming the process that has it, or `NOT_WRITABLE`
 */
export async function lockRun(folder: RunFolder, signal?: AbortSignal): Promise<RunLock> {
  const self = thisProcess();
  const watch = new HolderWatch(folder, self);
  const lock = lockOf(folder);
  try {
    for (let attempt = 1; ; attempt++) {
      let entry: Entry | undefined;
      try {
        entry = await makeEntry(folder, self);
        while (!(await renameToFree(entry.temporary, lock))) {
          await makeRoom(folder, watch, self, signal);
        }
        return await keep(folder, entry);
      } catch (error) {
        if (entry) await discard(entry);
        const isRemoved = systemErrorCode(error) === "ENOENT" && attempt < MAX_ATTEMPTS;
        if (!isRemoved || !(await unlessGone(stat(folder.path)))) throw error;
      }
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined || signal?.aborted) throw error;
    throw STRAY.has(code) ? notALock(lock, error) : notWritable(lock, error);
  }
}

/**
 * Tells, whenever it is asked, whether a process trains the run.
 *
 * @returns throws CharnnError `NOT_READABLE` when the lock can't be read
 */
export function watchTraining(folder: RunFolder): () => Promise<boolean> {
  const watch = new HolderWatch(folder, thisProcess());
  return async () => {
    try {
      const { state } = await watch.look();
      return state === "held" || state === "unclear";
    } catch (error) {
      // With something else in its place nobody could take the run.
      if (STRAY.has(systemErrorCode(error) ?? "")) return false;
      throw notReadable(lockOf(folder), error);
    }
  };
}

/**
 * A lock that is to be. It is a folder with one file, whose name no other lock ever has: renaming a folder to
 * one that is not empty fails, so that one of many gets it, and who removes the file of a process that
 * has ended can't remove that of one that took its place a moment ago.
 */
interface Entry {
  readonly id: string;
  readonly temporary: string;
  readonly holder: Omit<LockHolder, "beat">;
  /** Open, so that the system holds it locked; undefined where it can't, or not until the lock is in its place. */
  readonly file: FileHandle | undefined;
}

/** Windows renames no folder with an open file in it. */
const LOCKS_IN_PLACE = process.platform === "win32";

async function makeEntry({ path }: RunFolder, self: ProcessIdentity): Promise<Entry> {
  const id = randomUUID();
  const temporary = temporaryFor(join(path, `lock.${id}`));
  await mkdir(temporary);
  let file: FileHandle | undefined;
  try {
    file = await open(join(temporary, id), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
    const holder = { ...self, locksFile: tryToLock(file) };
    await file.writeFile(holderText(holder, 1));
    if (holder.locksFile && !LOCKS_IN_PLACE) return { id, temporary, holder, file };
    await file.close();
    return { id, temporary, holder, file: undefined };
  } catch (error) {
    await discard({ temporary, file });
    throw error;
  }
}

/** Asks the system to lock an open file for this process. */
function tryToLock(file: FileHandle): boolean {
  return systemCalls()?.lockFile({ descriptor: file.fd, shared: false }) === "taken";
}

/** @returns undefined where the system has no locks, or the file does not open: the heartbeat has to do then */
async function lockInPlace(path: string, { locksFile }: Entry["holder"]) {
  const file = locksFile ? await open(path, "r+").catch(() => undefined) : undefined;
  for (const pause of file ? PAUSES : []) {
    if (file && tryToLock(file)) return file;
    // Others who want the run lock it for a moment, to see whether they can.
    await sleep(pause);
  }
  await file?.close().catch(() => {});
  return undefined;
}

/** Never fails: what went wrong has been reported already. */
async function discard({ temporary, file }: Pick<Entry, "temporary" | "file">): Promise<void> {
  await file?.close().catch(() => {});
  await rm(temporary, { recursive: true, force: true }).catch(() => {});
}

async function keep(folder: RunFolder, entry: Entry): Promise<RunLock> {
  const { id, holder } = entry;
  ownLocks.add(id);
  const path = join(lockOf(folder), id);
  const stopHeartbeat = startHeartbeat({ file: path, holder });
  const file = entry.file ?? (await lockInPlace(path, holder));
  let checkedAt = Date.now();
  let isHeld = true;
  return {
    async check(maxAge = 0) {
      // The clock may be set back; what counts is that a process which slept sees it moved.
      if (Math.abs(Date.now() - checkedAt) < maxAge) return;
      // Opened, not only looked up: the client of a network folder remembers names for long.
      const own = await unlessGone(retryWhileInUse(() => open(path, "r"))).catch(
        (error: unknown) => {
          throw notWritable(path, error);
        },
      );
      if (!own) throw await runLost(folder);
      await closeRead(own);
      checkedAt = Date.now();
    },
    async release() {
      if (!isHeld) return;
      isHeld = false;
      await stopHeartbeat();
      // In this order: network folders keep a file that is removed while it is open.
      await file?.close().catch(() => {});
      ownLocks.delete(id);
      // If that fails, everybody can tell that what remains was left behind.
      await removeFile(path).catch(() => {});
      await retryWhileInUse(() => rmdir(lockOf(folder))).catch(() => {});
    },
  };
}

/** Windows and some network folders say so, and so does any system where it is really not permitted. */
const MAY_BE_TAKEN = new Set(["EPERM", "EACCES", "EBUSY"]);

/** False where there is a lock already. */
export async function renameToFree(
  temporary: string,
  lock: string,
  { rename, stat }: LockFileSystem = nodeFileSystem,
): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      // It would put a folder in the place of any file.
      if (process.platform === "win32") await refuseFile(lock);
      await rename(temporary, lock);
      return true;
    } catch (error) {
      const code = systemErrorCode(error) ?? "";
      if (code === "ENOTEMPTY" || code === "EEXIST") return false;
      if (!MAY_BE_TAKEN.has(code)) throw error;
      if (await isThere(() => stat(lock))) return false;
      // Whoever had it gave it back meanwhile, unless it is really not permitted.
      if (attempt === MAX_ATTEMPTS) throw error;
    }
    await sleep(PAUSES[attempt]);
  }
}

async function refuseFile(lock: string): Promise<void> {
  const stats = await lstat(lock).catch(() => undefined);
  if (!stats || stats.isDirectory()) return;
  throw Object.assign(new Error(`${lock} is no folder.`), { code: "ENOTDIR" });
}

/** Of a folder that is being removed Windows denies permission, until it is gone. */
async function isThere(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    if (!["ENOENT", "EPERM", "EACCES"].includes(systemErrorCode(error) ?? "")) throw error;
    return false;
  }
}

/** Removes a lock whose process has ended, waits where that can't be told yet, or throws `RUN_EXISTS`. */
async function makeRoom(
  folder: RunFolder,
  watch: HolderWatch,
  self: ProcessIdentity,
  signal: AbortSignal | undefined,
): Promise<void> {
  const look = await watch.look();
  if (look.state === "held") throw runTaken(folder, look.holder, self);
  if (look.state === "unclear") {
    await sleep(MILLISECONDS_BETWEEN_LOOKS, undefined, { signal }).catch(() => {});
    signal?.throwIfAborted();
    return;
  }
  if (look.state === "left") await removeFile(look.file);
  await removeIfEmpty(lockOf(folder));
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await retryWhileInUse(() => rmdir(path));
  } catch (error) {
    const code = systemErrorCode(error) ?? "";
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(code)) throw error;
  }
}

function notALock(lock: string, cause: unknown): CharnnError {
  return new CharnnError(
    "NOT_WRITABLE",
    `${lock} is not a lock that charnn made, so the run can't be locked.`,
    "Remove it, unless another program needs it.",
    { cause },
  );
}

function runTaken(folder: RunFolder, holder: LockHolder, self: ProcessIdentity): CharnnError {
  const isHere = isAskedByNumber(holder, self);
  return new CharnnError(
    "RUN_EXISTS",
    `The run ${folder.name} is being trained by ${nameOf(holder, isHere)}.`,
    isHere
      ? "Wait for that process, stop it, or choose another `name`."
      : "Wait for that process, stop it there, or choose another `name`.",
  );
}

/** Whether a person who sits here can stop a process by its number. */
function isAskedByNumber(holder: LockHolder, self: ProcessIdentity): boolean {
  return holder.boot === undefined
    ? holder.host === hostname()
    : numbersAreShared(holder, self) || (self.namespace === undefined && holder.host === self.host);
}

function nameOf({ pid, host }: LockHolder, isHere: boolean): string {
  if (isHere) return `process ${pid}`;
  return host === hostname()
    ? `process ${pid} of another container on ${host}`
    : `process ${pid} on ${host}`;
}

async function runLost(folder: RunFolder): Promise<CharnnError> {
  const look = await new HolderWatch(folder, thisProcess()).look().catch(() => undefined);
  const taker = look && "holder" in look ? look.holder : undefined;
  const message = taker
    ? `${nameOf(taker, isAskedByNumber(taker, thisProcess()))} has taken over the run ${folder.name}, ` +
      "since this one was stopped for too long."
    : `The run ${folder.name} is no longer this process's: ${lockOf(folder)} was removed, or ` +
      "another process took it over while this one was stopped.";
  return new CharnnError(
    "RUN_EXISTS",
    message[0].toUpperCase() + message.slice(1),
    "This process did not overwrite anything. Train a run with one process at a time; `resume` continues it.",
  );
}
