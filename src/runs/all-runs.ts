import { stat } from "node:fs/promises";
import { CharnnError } from "../errors.js";
import { isTemporary } from "../files/durable-file.js";
import { namesIn } from "../files/folder-names.js";
import { systemErrorCode } from "../system-error-code.js";
import { checkpointsOf, contentsOf, type RunContents } from "./run-contents.js";
import { folderAt, type RunFolder } from "./run-folder.js";

/** Called for each run that can't be read: the path of its folder, and why. */
export type OnUnreadable = (path: string, error: CharnnError) => void;

/** A folder that holds something of a run. */
export interface FoundRun {
  readonly folder: RunFolder;
  readonly contents: RunContents;
  /** When it last saved or reported something, in milliseconds since 1970; 0 where it never did. */
  readonly activeAt: number;
}

/**
 * The runs in `out`, the newest first: the one that saved or reported something last. A folder of which it
 * can't be told whether it holds a run does not hide the others.
 *
 * @throws CharnnError `NOT_READABLE` for `out` itself
 */
export async function runsIn(out: string, onUnreadable?: OnUnreadable): Promise<FoundRun[]> {
  const found: FoundRun[] = [];
  for (const name of (await namesIn(out)) ?? []) {
    // A run that is being removed.
    if (isTemporary(name)) continue;
    const folder = folderAt(out, name);
    try {
      const contents = await contentsOf(folder);
      if (contents) found.push({ folder, contents, activeAt: await activeAt(folder, contents) });
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
      // A file beside the runs is none of them.
      if (systemErrorCode(error.cause) !== "ENOTDIR") onUnreadable?.(folder.path, error);
    }
  }
  return found.sort((a, b) => b.activeAt - a.activeAt || (a.folder.name < b.folder.name ? -1 : 1));
}

/**
 * The runs in `out` that have a checkpoint, the newest first.
 *
 * @throws CharnnError as {@link runsIn} does
 */
export async function listRuns(out: string, onUnreadable?: OnUnreadable): Promise<RunFolder[]> {
  const runs = (await runsIn(out, onUnreadable)).filter(hasCheckpoint);
  return runs.map(({ folder }) => folder);
}

export function hasCheckpoint({ folder, contents }: FoundRun): boolean {
  return checkpointsOf(folder, contents).length > 0;
}

/**
 * When the newest of some files was changed, in milliseconds since 1970. What is no file has no time by
 * which its run could be the newest.
 */
export async function newestOf(paths: readonly string[]): Promise<number> {
  let newest = 0;
  for (const path of paths) {
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isFile()) newest = Math.max(newest, stats.mtimeMs);
  }
  return newest;
}

function activeAt(folder: RunFolder, contents: RunContents): Promise<number> {
  const metrics = contents.metrics ? [folder.metrics] : [];
  return newestOf([...checkpointsOf(folder, contents), ...metrics]);
}
