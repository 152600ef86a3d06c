import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { CharnnError, systemErrorCode } from "../errors.js";
import { isRunning, startOf } from "../processes.js";
import { notReadable, notWritable } from "../system-errors.js";

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

const LAST = "last.safetensors";
const BEST = "best.safetensors";
const METRICS = "metrics.jsonl";
/** How the names of files begin that are for TensorBoard, which looks for them by that. */
export const EVENT_FILE_PREFIX = "events.out.tfevents";
const STEP_FILE = /^step-(\d+)\.safetensors$/;
const NAMES_IN_HINT = 5;
const TRAIN_FIRST = "Train one first: charnn train data/shakespeare.txt";

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

/** The runs in `out` that have a checkpoint, those with the newest one first. */
export async function listRuns(out: string): Promise<RunFolder[]> {
  const runs: { folder: RunFolder; savedAt: number }[] = [];
  for (const name of await namesIn(out)) {
    const folder = folderAt(out, name);
    const checkpoints = await Promise.all((await checkpointsIn(folder.path)).map(statIfThere));
    const savedAt = Math.max(...checkpoints.map((stats) => stats?.mtimeMs ?? 0));
    if (checkpoints.length > 0) runs.push({ folder, savedAt });
  }
  runs.sort((a, b) => b.savedAt - a.savedAt || (a.folder.name < b.folder.name ? -1 : 1));
  return runs.map(({ folder }) => folder);
}

/** `wanted`, or where `out` has that already, the first of `wanted-2`, `wanted-3` ... that is free. */
export async function freeName(out: string, wanted: string): Promise<string> {
  let name = wanted;
  for (let number = 2; await statIfThere(join(out, name)); number++) name = `${wanted}-${number}`;
  return name;
}

/**
 * The checkpoint file that a person means.
 *
 * @param run a run's name in `out`, a run's folder, or a checkpoint file; the newest run in `out`
 *   when undefined. Of a run it is the best checkpoint where there is one, else the last.
 * @throws CharnnError `NOT_FOUND`
 */
export async function findCheckpoint(run: string | undefined, out: string): Promise<string> {
  if (run === undefined) {
    const [newest] = await listRuns(out);
    if (newest) return (await checkpointsIn(newest.path))[0];
    throw new CharnnError("NOT_FOUND", `There is no run in ${out} yet.`, TRAIN_FIRST);
  }
  const folders = isFolderName(run) ? [join(out, run), run] : [run];
  for (const folder of folders) {
    const [checkpoint] = await checkpointsIn(folder);
    if (checkpoint !== undefined) return checkpoint;
  }
  const stats = await statIfThere(run);
  if (stats?.isFile()) return run;
  const message = stats?.isDirectory()
    ? `The folder ${run} has no checkpoint.`
    : `There is no run and no checkpoint ${JSON.stringify(run)}.`;
  const names = (await listRuns(out)).map(({ name }) => name);
  throw new CharnnError("NOT_FOUND", message, hintAt(names, run, out));
}

/** Removes all but the newest `keep` of the checkpoints that are kept of single steps. */
export async function keepNewestSteps(folder: RunFolder, keep: number): Promise<void> {
  const steps = newestSteps(await namesIn(folder.path));
  for (const name of steps.slice(keep)) await remove(join(folder.path, name));
}

/** Removes what a run has saved and reported, so that another can take its place. */
export async function clearRun(folder: RunFolder): Promise<void> {
  for (const path of await checkpointsIn(folder.path)) await remove(path);
  await remove(folder.metrics);
  for (const name of await namesIn(folder.path)) {
    if (name.startsWith(EVENT_FILE_PREFIX)) await remove(join(folder.path, name));
  }
}

/**
 * The folder of the run that a person means, which need not have a checkpoint yet but has reported
 * something.
 *
 * @param run a run's name in `out`, its folder or a file in it; the one in `out` that reported last when
 *   undefined
 * @throws CharnnError `NOT_FOUND`
 */
export async function findReportedRun(run: string | undefined, out: string): Promise<RunFolder> {
  const reported = await reportedRuns(out);
  if (run === undefined) {
    if (reported.length > 0) return reported[0];
    throw new CharnnError("NOT_FOUND", `There is no run in ${out} yet.`, TRAIN_FIRST);
  }
  const paths = isFolderName(run) ? [join(out, run), run] : [run];
  const folders = [...paths, dirname(run)].map((path) => resolve(path));
  for (const path of folders) {
    const folder = folderAt(dirname(path), basename(path));
    if (await statIfThere(folder.metrics)) return folder;
  }
  const stats = await statIfThere(paths[0]);
  const message = stats
    ? `The run ${JSON.stringify(run)} has reported nothing: it has no ${METRICS}.`
    : `There is no run ${JSON.stringify(run)}.`;
  const names = reported.map(({ name }) => name);
  throw new CharnnError("NOT_FOUND", message, hintAt(names, run, out));
}

/** The runs in `out` that have reported something, the one that did last first. */
async function reportedRuns(out: string): Promise<RunFolder[]> {
  const folders = (await namesIn(out)).map((name) => folderAt(out, name));
  const stats = await Promise.all(folders.map(({ metrics }) => statIfThere(metrics)));
  const times = new Map(folders.map((folder, k) => [folder, stats[k]?.mtimeMs]));
  return folders
    .filter((folder) => times.get(folder) !== undefined)
    .sort((a, b) => (times.get(b) as number) - (times.get(a) as number));
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

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw notWritable(path, error);
  }
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
    const isTaken = code === "EPERM" && (await statIfThere(lock)) !== undefined;
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

function folderAt(out: string, name: string): RunFolder {
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

function isFolderName(name: string): boolean {
  return !/^\.{0,2}$|[/\\\p{Cc}]/u.test(name);
}

/** The checkpoints in a folder, the one that stands for the run first; none in what is no folder. */
async function checkpointsIn(path: string): Promise<string[]> {
  const names = await readdir(path).catch((): string[] => []);
  const ranked = [...[BEST, LAST].filter((name) => names.includes(name)), ...newestSteps(names)];
  return ranked.map((name) => join(path, name));
}

function newestSteps(names: readonly string[]): string[] {
  const step = (name: string) => Number(STEP_FILE.exec(name)?.[1]);
  return names.filter((name) => STEP_FILE.test(name)).sort((a, b) => step(b) - step(a));
}

/** The names in a folder; none where there is no such folder. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return [];
    throw notReadable(path, error);
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

function hintAt(names: readonly string[], typed: string, out: string): string {
  if (names.length === 0) return TRAIN_FIRST;
  const distances = new Map(names.map((name) => [name, editDistance(name, basename(typed))]));
  const nearest = names.toSorted((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0));
  return `The runs in ${out} are: ${nearest.slice(0, NAMES_IN_HINT).join(", ")}${
    names.length > NAMES_IN_HINT ? " ..." : "."
  }`;
}

/** The fewest characters to put in, leave out or change to make `b` of `a` (Levenshtein, 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [i, character] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = row[j] + (character === b[j] ? 0 : 1);
      next.push(Math.min(changed, row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}
