import { join } from "node:path";
import { CharnnError } from "../errors.js";
import { namesIn } from "../files/folder-names.js";
import { BEST, LAST } from "../run-files.js";

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

export const METRICS = "metrics.jsonl";
/** How the names of files begin that are for TensorBoard, which looks for them by that. */
export const EVENT_FILE_PREFIX = "events.out.tfevents";

/** @throws CharnnError `INVALID_SETTING` for a name that is not one of a folder. */
export function runFolder(out: string, name: string): RunFolder {
  if (isFolderName(name)) return folderAt(out, name);
  throw new CharnnError(
    "INVALID_SETTING",
    `name ${JSON.stringify(name)} can't be the name of a folder.`,
    "Leave out slashes, backslashes and control characters; `out` chooses the folder of all runs.",
    { setting: "name" },
  );
}

/**
 * `wanted`, or where `out` has that already, the first of `wanted-2`, `wanted-3` ... that is free. Names
 * that differ in their case alone are the same on some systems, and so are they here.
 *
 * @param endings what will be added to the name: none of it is taken either
 * @throws CharnnError `NOT_READABLE` where it can't be told what `out` has
 */
export async function freeName(
  out: string,
  wanted: string,
  endings: readonly string[] = [""],
): Promise<string> {
  const inOneCase = (name: string) => name.normalize("NFC").toLowerCase();
  const taken = new Set(((await namesIn(out)) ?? []).map(inOneCase));
  let name = wanted;
  for (let number = 2; endings.some((ending) => taken.has(inOneCase(name + ending))); number++) {
    name = `${wanted}-${number}`;
  }
  return name;
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
