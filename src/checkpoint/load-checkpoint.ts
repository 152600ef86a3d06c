import { RUNS_FOLDER } from "../defaults.js";
import { CharnnError } from "../errors.js";
import {
  type Checkpoint,
  type CheckpointFacts,
  readCheckpoint,
  readCheckpointFacts,
} from "./checkpoint.js";
import { findCheckpoint, listRuns } from "./run-folder.js";

/** Where runs are: `checkpoints` in the current folder when left out. */
interface Place {
  readonly out?: string;
}

/**
 * Reads a checkpoint and checks all of it.
 *
 * @param run a checkpoint file, a run's folder, or a run's name in the folder `out`; the newest run
 *   there when left out. Of a run it is the best checkpoint, or the last where there is no best.
 * @throws CharnnError `NOT_FOUND` or `BAD_CHECKPOINT`
 */
export async function loadCheckpoint(
  run?: string,
  { out = RUNS_FOLDER }: Place = {},
): Promise<Checkpoint & { readonly path: string }> {
  const path = await findCheckpoint(run, out);
  return { ...(await readCheckpoint(path)), path };
}

/** What the last checkpoint of each run says of itself, the newest run first. */
export async function listCheckpoints({
  out = RUNS_FOLDER,
}: Place = {}): Promise<(CheckpointFacts & { readonly path: string })[]> {
  const found = [];
  for (const { path, last } of await listRuns(out)) {
    try {
      found.push({ ...(await readCheckpointFacts(last)), path });
    } catch (error) {
      // A damaged run must not hide the others; asked for by name it says what is wrong.
      if (!(error instanceof CharnnError)) throw error;
    }
  }
  return found;
}
