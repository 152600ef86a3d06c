import path from "node:path";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { CharnnError } from "../errors.js";

/** A run that was asked for. */
export interface OpenRun {
  /** The name of its folder. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

/**
 * Loads the runs that were asked for, and names each by its folder, or by its path where another has
 * that name.
 *
 * @param tensors which tensors of each are needed
 */
export async function openRuns(
  asked: readonly string[],
  out: string | undefined,
  signal: AbortSignal,
  tensors: "all" | "weights" = "weights",
): Promise<OpenRun[]> {
  const { loadCheckpoint } = await import("../runs/load-checkpoint.js");
  const runs: OpenRun[] = [];
  const paths = new Set<string>();
  for (const run of asked) {
    const checkpoint = await loadCheckpoint(run, { out, signal, tensors });
    const file = path.resolve(checkpoint.path);
    if (paths.has(file)) {
      throw new CharnnError("INVALID_SETTING", `${run} is asked for twice.`, "Name each run once.");
    }
    paths.add(file);
    const folder = path.basename(path.dirname(file));
    const isTaken = runs.some(({ name }) => name === folder);
    runs.push({ name: isTaken ? checkpoint.path : folder, checkpoint });
  }
  return runs;
}
