import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { RUNS_FOLDER } from "../config/names.js";
import { CharnnError } from "../errors.js";
import { isTemporary } from "../files/durable-file.js";
import { namesIn, unlessAbsent, unreadable } from "../files/folder-names.js";
import { quoted } from "../shell-words.js";
import { byDistance, meant } from "../similar.js";
import { systemErrorCode } from "../system-error-code.js";
import { listRuns, newestOf, runsIn } from "./all-runs.js";
import { watchTraining } from "./lock.js";
import { lockOf } from "./lock-holder.js";
import { newestCheckpoint, newestReportedRun } from "./newest-run.js";
import { checkpointsOf, contentsOf, type RunContents } from "./run-contents.js";
import { folderAt, isFolderName, METRICS, type RunFolder } from "./run-folder.js";

const NAMES_IN_HINT = 5;

/**
 * The checkpoint file that a person means.
 *
 * @param run a run's name in `out`, a run's folder, or a checkpoint file; when undefined, that of
 *   {@link newestCheckpoint}. Of a run it is the best checkpoint where there is one, else the last.
 * @throws CharnnError `NOT_FOUND`, or `NOT_READABLE` where it can't be told what is there
 */
export async function findCheckpoint(run: string | undefined, out: string): Promise<string> {
  if (run === undefined) {
    const newest = await newestCheckpoint(out);
    if (newest !== undefined) return newest;
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
 * @param run a run's name in `out`, its folder or a file in it; when undefined, that of
 *   {@link newestReportedRun}
 * @throws CharnnError `NOT_FOUND`, or `NOT_READABLE` where it can't be told what is there
 */
export async function findReportedRun(run: string | undefined, out: string): Promise<RunFolder> {
  const found = await lookForReportedRun(run, out);
  if (found) return found;
  if (run === undefined) throw noRunIn(out);
  const message = (await statsOf(pathsOf(run, out)[0]))
    ? `The run ${JSON.stringify(run)} has reported nothing: it has no ${METRICS}.`
    : `There is no run ${JSON.stringify(run)}.`;
  const names = (await runsIn(out))
    .filter(({ contents }) => contents.metrics)
    .map(({ folder }) => folder.name);
  throw new CharnnError("NOT_FOUND", message, hintAt(names, run, out));
}

/**
 * The folder of the run that a person means, whatever it has of a run.
 *
 * @param run a run's name in `out`, or its folder
 * @throws CharnnError `NOT_FOUND`, or `NOT_READABLE` where it can't be told what is there
 */
export async function findRun(run: string, out: string): Promise<RunFolder> {
  for await (const { folder, contents } of foldersAt(pathsOf(run, out))) {
    if (contents) return folder;
  }
  const message = (await statsOf(run))?.isDirectory()
    ? `The folder ${run} has no run in it.`
    : `There is no run ${JSON.stringify(run)}.`;
  const names = (await runsIn(out)).map(({ folder }) => folder.name);
  throw new CharnnError("NOT_FOUND", message, hintAt(names, run, out));
}

/** As {@link findReportedRun}, for a caller that looks repeatedly; undefined where there is no such run yet. */
export async function lookForReportedRun(
  run: string | undefined,
  out: string,
): Promise<RunFolder | undefined> {
  if (run === undefined) return newestReportedRun(out);
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
    if (isTemporary(name)) continue;
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
  return out === RUNS_FOLDER
    ? "Train one first: charnn train FILE"
    : `Train one first: charnn train FILE --out ${quoted(out)}`;
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
