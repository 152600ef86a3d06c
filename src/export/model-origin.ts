import path from "node:path";
import { isCheckpointName } from "../run-files.js";
import { type ImportRecord, type RunRecord, readOrigin } from "../runs/metrics.js";
import { folderAt } from "../runs/run-folder.js";

/** Where a model comes from. */
export interface ModelOrigin {
  /** The name of its run, or of its file where that is no file of a run. */
  readonly name: string;
  /** How its run was begun, or the model imported; undefined where that is not known. */
  readonly origin: RunRecord | ImportRecord | undefined;
}

/** Where the model of a checkpoint comes from, by the files beside it. */
export async function originOf(checkpoint: string | undefined): Promise<ModelOrigin> {
  if (checkpoint === undefined) return { name: "Model", origin: undefined };
  const { name, run } = placeOf(checkpoint);
  if (run === undefined) return { name, origin: undefined };
  const { metrics } = folderAt(path.dirname(run), path.basename(run));
  return { name, origin: await readOrigin(metrics) };
}

/** The name of a checkpoint's run, or of its file where that is no file of a run. */
export function nameOf(checkpoint: string): string {
  return placeOf(checkpoint).name;
}

function placeOf(checkpoint: string): { name: string; run: string | undefined } {
  const { dir, base, name } = path.parse(path.resolve(checkpoint));
  const run = isCheckpointName(base) ? path.basename(dir) : "";
  return run === "" ? { name, run: undefined } : { name: run, run: dir };
}
