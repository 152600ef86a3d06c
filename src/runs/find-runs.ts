import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { RUNS_FOLDER } from "../config/names.js";
import { CharnnError, systemErrorCode } from "../errors.js";
import { namesIn, unlessAbsent, unreadable } from "../files/folder-names.js";
import { quoted } from "../shell-words.js";
import { byDistance, meant } from "../similar.js";
import { watchTraining } from "./lock.js";
import { lockOf } from "./lock-holder.js";
import { checkpointsOf, contentsOf, type RunContents } from "./run-contents.js";
import { folderAt, isFolderName, METRICS, type RunFolder } from "./run-folder.js";

/** Called for each run that can't be read: the path of its folder, and why. */
export type OnUnreadable = (path: string, error: CharnnError) => void;

const NAMES_IN_HINT = 5;

/**
 * The runs in `out` that have a checkpoint, those with the newest one first. A folder of which it can't be
 * told whether it holds a run does not hide the others.
 *
 * @throws CharnnError `NOT_READABLE` for `out` itself
 */
export async function listRuns(out: string, onUnreadable?: OnUnreadable): Promise<RunFolder[]> {
  const runs: { folder: RunFolder; savedAt: number }[] = [];
  for (const { folder, contents } of await foldersIn(out, onUnreadable)) {
    const checkpoints = checkpointsOf(folder, contents);
    if (checkpoints.length > 0) runs.push({ folder, savedAt: await newestOf(checkpoints) });
  }
  runs.sort((a, b) => b.savedAt - a.savedAt || (a.folder.name < b.folder.name ? -1 : 1));
  return runs.map(({ folder }) => folder);
}

/**
 * The checkpoint file that a person means.
 *
 * @param run a run's name in `out`, a run's folder, or a checkpoint file; the newest run in `out`
 *   when undefined. Of a run it is the best checkpoint where there is one, else the last.
 * @throws CharnnError `NOT_FOUND`, or `NOT_READABLE` where it can't be told what is there
 */
export async function findCheckpoint(run: string | undefined, out: string): Promise<string> {
  if (run === undefined) {
    const [newest] = await listRuns(out);
    if (newest) return checkpointsOf(newest, await contentsOf(newest))[0];
    throw noRunIn(out);
  }
  for await (const { folder, contents } of foldersAt(pathsOf(run, out))) {
    const [checkpoint] = checkpointsOf(folder, contents);
    if (checkpoint !== undefined) return checkpoint;
  }
  const stats = await statsOf(run);
  if (stats && !stats.isDirectory()) return run;
  const message = stats
    ? `The folder ${run} has no checkpoint.`
    : `There is no run and no checkpoint ${JSON.stringify(run)}.`;
  const names = (await listRuns(out)).map(({ name }) => name);
  throw new CharnnError("NOT_FOUND", message, hintAt(names, run, out));
}

/**
 * The folder of the run that a person means, which need not have a checkpoint yet but has reported
 * something.
 *
 * @param run a run's name in `out`, its folder or a file in it; the one in `out` that reported last when
 *   undefined
 * @throws CharnnError `NOT_FOUND`, or `NOT_READABLE` where it can't be told what is there
 */
export async function findReportedRun(run: string | undefined, out: string): Promise<RunFolder> {
  const found = await lookForReportedRun(run, out);
  if (found) return found;
  if (run === undefined) throw noRunIn(out);
  const message = (await statsOf(pathsOf(run, out)[0]))
    ? `The run ${JSON.stringify(run)} has reported nothing: it has no ${METRICS}.`
    : `There is no run ${JSON.stringify(run)}.`;
  const names = (await reportedRuns(out)).map(({ name }) => name);
  throw new CharnnError("NOT_FOUND", message, hintAt(names, run, out));
}

/** As {@link findReportedRun}, for a caller that looks repeatedly; undefined where there is no such run yet. */
export async function lookForReportedRun(
  run: string | undefined,
  out: string,
): Promise<RunFolder | undefined> {
  if (run === undefined) return (await reportedRuns(out))[0];
  const paths = [...pathsOf(run, out), dirname(run)].map((path) => resolve(path));
  for await (const { folder, contents } of foldersAt(paths)) {
    if (contents?.metrics) {
      await refuseOtherThanFile(folder.metrics);
      return folder;
    }
  }
  return undefined;
}

/** A run that has reported something, or is about to. */
interface BegunRun {
  readonly folder: RunFolder;
  readonly hasReported: boolean;
}

/**
 * The run in `out` that is the newest by when it reported, or by when its training began where that goes on;
 * undefined where there is none yet.
 *
 * @throws CharnnError `NOT_READABLE` for `out` itself
 */
export async function newestBegunRun(out: string): Promise<BegunRun | undefined> {
  let newest: (BegunRun & { readonly at: number }) | undefined;
  for (const name of (await namesIn(out)) ?? []) {
    const folder = folderAt(out, name);
    const locked = await stat(lockOf(folder)).catch(() => undefined);
    const reportedAt = await newestOf([folder.metrics]);
    const begunAt = locked && (await isTrained(folder)) ? locked.mtimeMs : 0;
    const at = Math.max(reportedAt, begunAt);
    if (at > (newest?.at ?? 0)) newest = { folder, at, hasReported: reportedAt > 0 };
  }
  return newest;
}

/** Where it can't be told, it is not. */
async function isTrained(folder: RunFolder): Promise<boolean> {
  return watchTraining(folder)().catch(() => false);
}

/** The paths at which the folder of a run may be. */
function pathsOf(run: string, out: string): string[] {
  return isFolderName(run) ? [join(out, run), run] : [run];
}

/** What is in each of some folders, where they are there. */
async function* foldersAt(
  paths: readonly string[],
): AsyncGenerator<{ folder: RunFolder; contents: RunContents | undefined }, void> {
  for (const path of paths) {
    if (!(await statsOf(path))?.isDirectory()) continue;
    const folder = folderAt(dirname(path), basename(path));
    yield { folder, contents: await contentsOf(folder) };
  }
}

/** The runs in `out` that have reported something, the one that did last first. */
async function reportedRuns(out: string): Promise<RunFolder[]> {
  const runs: { folder: RunFolder; reportedAt: number }[] = [];
  for (const { folder, contents } of await foldersIn(out)) {
    // What is no file has no time.
    const reportedAt = contents.metrics ? await newestOf([folder.metrics]) : 0;
    if (reportedAt > 0) runs.push({ folder, reportedAt });
  }
  return runs.sort((a, b) => b.reportedAt - a.reportedAt).map(({ folder }) => folder);
}

/** The folders in `out` that hold something of a run. */
async function foldersIn(
  out: string,
  onUnreadable?: OnUnreadable,
): Promise<{ folder: RunFolder; contents: RunContents }[]> {
  const found: { folder: RunFolder; contents: RunContents }[] = [];
  for (const name of (await namesIn(out)) ?? []) {
    const folder = folderAt(out, name);
    try {
      const contents = await contentsOf(folder);
      if (contents) found.push({ folder, contents });
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
      // A file beside the runs is none of them.
      if (systemErrorCode(error.cause) !== "ENOTDIR") onUnreadable?.(folder.path, error);
    }
  }
  return found;
}

/**
 * When the newest of some files was changed, in milliseconds since 1970. What is no file has no time by
 * which its run could be the newest.
 */
async function newestOf(paths: readonly string[]): Promise<number> {
  let newest = 0;
  for (const path of paths) {
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isFile()) newest = Math.max(newest, stats.mtimeMs);
  }
  return newest;
}

/** Reading a pipe would wait for somebody to write to it. */
async function refuseOtherThanFile(path: string): Promise<void> {
  if ((await statsOf(path))?.isFile()) return;
  throw new CharnnError("NOT_READABLE", `${path} can't be read: it is not a regular file.`);
}

/** What is at a path; undefined where there is nothing. */
async function statsOf(path: string): Promise<Stats | undefined> {
  // No name has a NUL character.
  if (path.includes("\0")) return undefined;
  try {
    return await unlessAbsent(path, () => stat(path));
  } catch (error) {
    // Nothing can be below a file.
    if (systemErrorCode(error) === "ENOTDIR") return undefined;
    throw unreadable(path, error);
  }
}

function noRunIn(out: string): CharnnError {
  return new CharnnError("NOT_FOUND", `There is no run in ${out} yet.`, trainFirst(out));
}

function trainFirst(out: string): string {
  const folder = out === RUNS_FOLDER ? "" : ` --out ${quoted(out)}`;
  return `Train one first: charnn train FILE${folder}`;
}

function hintAt(names: readonly string[], typed: string, out: string): string {
  if (names.length === 0) return trainFirst(out);
  const name = meant(basename(typed), names);
  if (name !== undefined) return `Did you mean ${name}?`;
  const nearest = byDistance(basename(typed), names).slice(0, NAMES_IN_HINT);
  return `The runs in ${out} are: ${nearest.join(", ")}${
    names.length > NAMES_IN_HINT ? " ..." : "."
  }`;
}
