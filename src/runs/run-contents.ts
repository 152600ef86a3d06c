import { lstat, rename } from "node:fs/promises";
import { join } from "node:path";
import { CharnnError } from "../errors.js";
import { removeFile } from "../files/durable-file.js";
import { type FolderReader, isAbsent, namesIn } from "../files/folder-names.js";
import { retryWhileInUse } from "../in-use.js";
import { BEST, LAST, STEP_FILE } from "../run-files.js";
import { notReadable, notWritable } from "../system-errors.js";
import { EVENT_FILE_PREFIX, METRICS, type RunFolder } from "./run-folder.js";

/** The files of a run that are in its folder, by name. */
export interface RunContents {
  readonly last: boolean;
  readonly best: boolean;
  /** The checkpoints that are kept of single steps, the newest first. */
  readonly steps: readonly string[];
  readonly metrics: boolean;
  /** For TensorBoard. */
  readonly eventFiles: readonly string[];
}

/**
 * What a folder holds of a run; undefined where that is nothing. Everyone who has to know whether there
 * is a run asks here.
 *
 * A name in the folder counts, whatever has it: a file that can't be read is there all the same.
 *
 * @throws CharnnError `NOT_READABLE` where it can't be told
 */
export async function contentsOf(
  { path }: RunFolder,
  fileSystem?: FolderReader,
): Promise<RunContents | undefined> {
  const names = (await namesIn(path, fileSystem)) ?? [];
  const contents = {
    last: names.includes(LAST),
    best: names.includes(BEST),
    steps: newestSteps(names),
    metrics: names.includes(METRICS),
    eventFiles: names.filter((name) => name.startsWith(EVENT_FILE_PREFIX)),
  };
  const { last, best, steps, metrics, eventFiles } = contents;
  const isRun = last || best || metrics || steps.length > 0 || eventFiles.length > 0;
  return isRun ? contents : undefined;
}

/** The paths of a run's checkpoints: the one that stands for the run first. */
export function checkpointsOf(folder: RunFolder, contents: RunContents | undefined): string[] {
  if (!contents) return [];
  const { best, last, steps } = contents;
  return [
    ...(best ? [folder.best] : []),
    ...(last ? [folder.last] : []),
    ...steps.map((name) => join(folder.path, name)),
  ];
}

/**
 * Of the checkpoints that are kept of steps up to `step`, removes all but the newest `keep`. Those of later
 * steps are of a longer run, which went on from here once.
 *
 * @param except a step whose checkpoint stays
 */
export async function keepNewestSteps(
  folder: RunFolder,
  keep: number,
  step: number,
  except?: number,
): Promise<void> {
  const { steps = [] } = (await contentsOf(folder)) ?? {};
  const upTo = steps.filter((name) => stepOf(name) <= step);
  for (const name of upTo.slice(keep)) {
    if (stepOf(name) === except) continue;
    await remove(join(folder.path, name));
  }
}

/**
 * Removes what a run has saved and reported, so that another can take its place.
 *
 * @throws CharnnError before anything is removed where something in a file's place is no file
 */
export async function clearRun(folder: RunFolder): Promise<void> {
  const contents = await contentsOf(folder);
  if (!contents) return;
  const { metrics, eventFiles } = contents;
  const paths = [
    ...checkpointsOf(folder, contents),
    ...(metrics ? [folder.metrics] : []),
    ...eventFiles.map((name) => join(folder.path, name)),
  ];
  for (const path of paths) await refuseFolder(path);
  for (const path of paths) await remove(path);
}

/**
 * Gives the metrics of a run that has no checkpoint another name, so that the run can start from the
 * beginning and nothing is lost.
 *
 * @returns where they are now
 */
export async function setMetricsAside({ path, metrics }: RunFolder): Promise<string> {
  let number = 1;
  const name = () => join(path, `metrics.${number}.jsonl`);
  while (!(await isAbsent(name()))) number++;
  try {
    await retryWhileInUse(() => rename(metrics, name()));
  } catch (error) {
    throw notWritable(metrics, error);
  }
  return name();
}

function newestSteps(names: readonly string[]): string[] {
  return names.filter((name) => STEP_FILE.test(name)).sort((a, b) => stepOf(b) - stepOf(a));
}

function stepOf(name: string): number {
  return Number(STEP_FILE.exec(name)?.[1]);
}

async function refuseFolder(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => {
    throw notReadable(path, error);
  });
  if (!stats.isDirectory()) return;
  throw new CharnnError(
    "NOT_WRITABLE",
    `${path} is a folder, which charnn did not make: it is not removed.`,
    "Move it elsewhere, or choose another `name`.",
  );
}

async function remove(path: string): Promise<void> {
  try {
    await removeFile(path);
  } catch (error) {
    throw notWritable(path, error);
  }
}
