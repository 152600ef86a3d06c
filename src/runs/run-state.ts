import { stat } from "node:fs/promises";
import { watchTraining } from "./lock.js";
import { type ImportRecord, type RunRecord, readOrigin } from "./metrics.js";
import type { RunContents } from "./run-contents.js";
import { checkpointsOf } from "./run-contents.js";
import type { RunFolder } from "./run-folder.js";

/** What there is to know of a run beside its checkpoint. */
export interface RunState {
  /** Whether a process trains it now. */
  readonly isTrained: boolean;
  /** Its checkpoints, that which `sample` takes first. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** When the newest of them was written; undefined where there is none. */
  readonly savedAt: Date | undefined;
  /** How it was begun or imported; undefined where its metrics don't say it. */
  readonly origin: RunRecord | ImportRecord | undefined;
}

/** Looks at the files of a run; what can't be read is left out. */
export async function runState(
  folder: RunFolder,
  contents: RunContents | undefined,
): Promise<RunState> {
  const files: { path: string; bytes: number }[] = [];
  let newest = 0;
  for (const path of checkpointsOf(folder, contents)) {
    const stats = await stat(path).catch(() => undefined);
    if (!stats?.isFile()) continue;
    files.push({ path, bytes: stats.size });
    newest = Math.max(newest, stats.mtimeMs);
  }
  return {
    isTrained: await watchTraining(folder)().catch(() => false),
    files,
    savedAt: newest > 0 ? new Date(newest) : undefined,
    origin: await readOrigin(folder.metrics),
  };
}
