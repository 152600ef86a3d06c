import { dirname } from "node:path";
import {
  type Checkpoint,
  type CheckpointFacts,
  isWeight,
  readCheckpoint,
} from "../checkpoint/checkpoint.js";
import { RUNS_FOLDER } from "../config/names.js";
import { CharnnError } from "../errors.js";
import { Turns } from "../turns.js";
import { listRuns, type OnUnreadable } from "./all-runs.js";
import { findCheckpoint } from "./find-runs.js";
import { contentsOf } from "./run-contents.js";
import { readRunFacts } from "./saved-states.js";

/** Where runs are: `checkpoints` in the current folder when left out. */
interface Whereabouts {
  readonly out?: string;
  readonly signal?: AbortSignal | undefined;
}

interface LoadOptions extends Whereabouts {
  /**
   * Leaves out what is only needed to go on training, which is three quarters of the file. It is checked in any
   * case. Default: false.
   */
  readonly weightsOnly?: boolean | undefined;
  /** Leaves out the weights too. Default: false. */
  readonly factsOnly?: boolean | undefined;
}

const RUNS_IN_HINT = 5;

/**
 * Reads a checkpoint and checks all of it.
 *
 * @param run a checkpoint file, a run's folder, or a run's name in the folder `out`; the newest run
 *   there that has learned something when left out. Of a run it is the best checkpoint, or the last where there is no best.
 * @throws CharnnError `NOT_FOUND` or `BAD_CHECKPOINT`; the reason of the signal once it is aborted
 */
export async function loadCheckpoint(
  run?: string,
  { out = RUNS_FOLDER, signal, weightsOnly = false, factsOnly = false }: LoadOptions = {},
): Promise<Checkpoint & { readonly path: string }> {
  const path = await findCheckpoint(run, out);
  const onTensor = factsOnly ? () => false : weightsOnly ? isWeight : undefined;
  try {
    return { ...(await readCheckpoint(path, { signal, onTensor })), path };
  } catch (error) {
    if (run !== undefined || !(error instanceof CharnnError)) throw error;
    throw await newestUnusable(error, path, out);
  }
}

/** No other run takes the place of the newest; the error names one. */
async function newestUnusable(error: CharnnError, path: string, out: string): Promise<CharnnError> {
  const others = (await listRuns(out)).filter((folder) => folder.path !== dirname(path));
  const named = others.slice(0, RUNS_IN_HINT).map(({ name }) => name);
  if (named.length === 0) return error;
  const hint = `That is the newest run. Name another one: ${named.join(", ")}.`;
  return new CharnnError(error.code, error.message, hint, { cause: error });
}

/**
 * What each run says of itself by its last checkpoint, or by the newest that it has instead; the newest
 * run first.
 *
 * @param options `onUnreadable` gets the folder of each run that can't be read, which hides no other, and the
 *   `CharnnError` that says why
 * @throws CharnnError `NOT_READABLE` for the folder of all runs; the reason of the signal once it is aborted
 */
export async function listCheckpoints({
  out = RUNS_FOLDER,
  onUnreadable,
  signal,
}: Whereabouts & { readonly onUnreadable?: OnUnreadable } = {}): Promise<
  (CheckpointFacts & { readonly path: string })[]
> {
  const found = [];
  const turns = new Turns(signal);
  for (const folder of await listRuns(out, onUnreadable)) {
    await turns.give();
    try {
      const contents = await contentsOf(folder);
      if (!contents) continue;
      found.push({ ...(await readRunFacts(folder, contents)), path: folder.path });
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
      onUnreadable?.(folder.path, error);
    }
  }
  return found;
}
