import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { CharnnError, systemErrorCode } from "../errors.js";
import { notWritable } from "./durable-file.js";
import { isRunning, startOf } from "./processes.js";

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
const STEP_FILE = /^step-(\d+)\.safetensors$/;
const NAMES_IN_HINT = 5;

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
    let savedAt = Number.NEGATIVE_INFINITY;
    for (const path of await checkpointsIn(folder)) {
      savedAt = Math.max(savedAt, (await statIfThere(path))?.mtimeMs ?? savedAt);
    }
    if (savedAt > Number.NEGATIVE_INFINITY) runs.push({ folder, savedAt });
  }
  runs.sort((a, b) => b.savedAt - a.savedAt || (a.folder.name < b.folder.name ? -1 : 1));
  return runs.map(({ folder }) => folder);
}

/** `wanted`, or where `out` has that already, the first that is free of `wanted-2`, `wanted-3` ... */
export async function freeName(out: string, wanted: string): Promise<string> {
  const taken = new Set(await namesIn(out));
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
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
    if (newest) return (await checkpointsIn(newest))[0];
    throw new CharnnError(
      "NOT_FOUND",
      `There is no run in ${out} yet.`,
      "Train one first: charnn train data/shakespeare.txt",
    );
  }
  if (isFolderName(run)) {
    const [checkpoint] = await checkpointsIn(folderAt(out, run));
    if (checkpoint !== undefined) return checkpoint;
  }
  const stats = run === "" ? undefined : await statIfThere(run);
  if (stats?.isDirectory()) {
    const [checkpoint] = await checkpointsIn(folderAt(run, "."));
    if (checkpoint !== undefined) return checkpoint;
    throw new CharnnError(
      "NOT_FOUND",
      `The folder ${run} has no checkpoint.`,
      await hintFor(run, out),
    );
  }
  if (stats) return run;
  throw new CharnnError(
    "NOT_FOUND",
    `There is no run and no checkpoint ${JSON.stringify(run)}.`,
    await hintFor(run, out),
  );
}
