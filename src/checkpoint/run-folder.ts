import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { CharnnError, systemErrorCode } from "../errors.js";
import { isRunning, startOf } from "../processes.js";
import { notWritable } from "../system-errors.js";
import { isAbsent } from "./folder-names.js";

/** Where a run keeps its files: the folder `<out>/<name>/`. */
export interface RunFolder {
  readonly name: string;
  readonly path: string;
  /** The checkpoint to go on from. */
  readonly last: string;
  /** The checkpoint with the lowest validation loss. */
  readonly best: string;
  /** One JSON object per line for every report. */
  readonly metrics: string;
  /** The checkpoint that is kept of a step. */
  stepFile(step: number): string;
}

export const LAST = "last.safetensors";
export const BEST = "best.safetensors";
export const METRICS = "metrics.jsonl";
/** How the names of files begin that are for TensorBoard, which looks for them by that. */
export const EVENT_FILE_PREFIX = "events.out.tfevents";
export const STEP_FILE = /^step-(\d+)\.safetensors$/;

/** @throws CharnnError `INVALID_SETTING` for a name that is not one of a folder. */
export function runFolder(out: string, name: string): RunFolder {
  if (isFolderName(name)) return folderAt(out, name);
  throw new CharnnError(
    "INVALID_SETTING",
    `name ${JSON.stringify(name)} can't be the name of a folder.`,
    "Leave out slashes, backslashes and control characters; --out chooses the folder of all runs.",
    { setting: "name" },
  );
}

/**
 * `wanted`, or where `out` has that already, the first of `wanted-2`, `wanted-3` ... that is free.
 *
 * @throws CharnnError `NOT_READABLE` where it can't be told what `out` has
 */
export async function freeName(out: string, wanted: string): Promise<string> {
  let name = wanted;
  for (let number = 2; !(await isAbsent(join(out, name))); number++) name = `${wanted}-${number}`;
  return name;
}

/**
 * Takes the run for this process, so that two trainers never write one. The lock of a process that
 * was killed does not count.
 *
 * @param folder must be there
 * @returns gives the run back
 * @throws CharnnError `RUN_EXISTS` naming the process that has it, or `NOT_WRITABLE`
 */
export async function lockRun(folder: RunFolder): Promise<() => Promise<void>> {
  // The lock is a folder with one file, whose name no other lock ever has: renaming a folder to
  // one that is not empty fails, so that one of many gets it, and who removes the file of a killed
  // process can't remove that of one that took its place a moment ago.
  const lock = lockOf(folder);
  const id = randomUUID();
  const temporary = join(folder.path, `.lock.${id}.${process.pid}.tmp`);
  const holder: LockHolder = { pid: process.pid, start: startOf(process.pid), host: hostname() };
  try {
    await mkdir(temporary);
    await writeFile(join(temporary, id), JSON.stringify(holder));
    while (!(await renameToFree(temporary, lock))) await removeEnded(folder, lock);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    const isOurs = error instanceof CharnnError || systemErrorCode(error) === undefined;
    throw isOurs ? error : notWritable(lock, error);
  }
  return async () => {
    await rm(join(lock, id), { force: true });
    await removeIfEmpty(lock);
  };
}

/** Whether a process trains the run at this moment. */
export async function isTrained(folder: RunFolder): Promise<boolean> {
  const lock = lockOf(folder);
  for (const id of await unlessGone(readdir(lock), [])) {
    const holder = lockHolder(await unlessGone(readFile(join(lock, id), "utf8"), ""));
    if (holder && isThere(holder)) return true;
  }
  return false;
}

function lockOf({ path }: RunFolder): string {
  return join(path, ".lock");
}

/** Whether who has a run is still there, as far as this machine can tell. */
function isThere({ host, pid, start }: LockHolder): boolean {
  return host !== hostname() || isRunning(pid, start);
}

/** Who has a run. */
interface LockHolder {
  readonly pid: number;
  /** Tells it from a later process of the same number, see {@link startOf}. */
  readonly start?: string;
  readonly host: string;
}

/** False where there is a lock already. */
async function renameToFree(temporary: string, lock: string): Promise<boolean> {
  try {
    await rename(temporary, lock);
    return true;
  } catch (error) {
    const code = systemErrorCode(error) ?? "";
    // Windows says EPERM, and so does any system where this is really not permitted.
    const isTaken = code === "EPERM" && !(await isAbsent(lock));
    if (isTaken || code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/** Removes a lock whose process has ended, or throws `RUN_EXISTS`. */
async function removeEnded(folder: RunFolder, lock: string): Promise<void> {
  for (const id of await unlessGone(readdir(lock), [])) {
    const content = await unlessGone(readFile(join(lock, id), "utf8"), "");
    const holder = lockHolder(content);
    if (holder && isThere(holder)) throw runTaken(folder, lock, holder);
    await rm(join(lock, id), { force: true });
  }
  await removeIfEmpty(lock);
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    const code = systemErrorCode(error) ?? "";
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(code)) throw error;
  }
}

async function unlessGone<Value>(reading: Promise<Value>, otherwise: Value): Promise<Value> {
  return reading.catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return otherwise;
    throw error;
  });
}

function lockHolder(content: string): LockHolder | undefined {
  try {
    const { pid, start, host } = JSON.parse(content);
    const isPid = Number.isInteger(pid) && pid > 0 && pid < 2 ** 31;
    const isStart = start === undefined || typeof start === "string";
    return isPid && isStart && typeof host === "string" ? { pid, start, host } : undefined;
  } catch {
    return undefined;
  }
}

function runTaken(folder: RunFolder, path: string, { pid, host }: LockHolder): CharnnError {
  const isHere = host === hostname();
  return new CharnnError(
    "RUN_EXISTS",
    `The run ${folder.name} is being trained by process ${pid}${isHere ? "" : ` on ${host}`}.`,
    isHere
      ? "Wait for that process, stop it, or choose another --name."
      : `Wait for it, or choose another --name. If it is no longer there, delete ${path}.`,
  );
}

/** The run in a folder whose name need not be checked. */
export function folderAt(out: string, name: string): RunFolder {
  const path = join(out, name);
  return {
    name,
    path,
    last: join(path, LAST),
    best: join(path, BEST),
    metrics: join(path, METRICS),
    stepFile: (step) => join(path, `step-${step}.safetensors`),
  };
}

export function isFolderName(name: string): boolean {
  return !/^\.{0,2}$|[/\\\p{Cc}]/u.test(name);
}
