import { type CheckpointFacts, readCheckpointFacts } from "../checkpoint/checkpoint.js";
import { CharnnError } from "../errors.js";
import { checkpointsOf, type RunContents } from "./run-contents.js";
import type { RunFolder } from "./run-folder.js";

/** A checkpoint of a run, and what it says of itself. */
export interface SavedState {
  readonly path: string;
  readonly facts: CheckpointFacts;
}

/**
 * The checkpoints of a run beside its last one, that of the latest step first; without those that can't be
 * read.
 */
export async function statesBesideLast(
  folder: RunFolder,
  contents: RunContents,
): Promise<SavedState[]> {
  const states: SavedState[] = [];
  for (const path of checkpointsOf(folder, { ...contents, last: false })) {
    try {
      states.push({ path, facts: await readCheckpointFacts(path) });
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
    }
  }
  return states.sort((a, b) => b.facts.progress.step - a.facts.progress.step);
}

/**
 * What a run says of itself: its last checkpoint does where it has one, else the newest that can be read.
 *
 * @param contents of a run that has a checkpoint
 * @throws CharnnError as {@link readCheckpointFacts} does
 */
export async function readRunFacts(
  folder: RunFolder,
  contents: RunContents,
): Promise<CheckpointFacts> {
  if (contents.last) return readCheckpointFacts(folder.last);
  const [newest] = await statesBesideLast(folder, contents);
  // None can be read: the one that stands for the run says why.
  return newest?.facts ?? readCheckpointFacts(checkpointsOf(folder, contents)[0]);
}
