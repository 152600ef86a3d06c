/**
 * A best checkpoint that can't take its place, since another program has the one before open, is kept as the
 * checkpoint of its step meanwhile.
 */

import { readCheckpointFacts } from "../checkpoint/checkpoint.js";
import type { Progress } from "../config/run.js";
import { CharnnError } from "../errors.js";
import { copyDurably, removeFile } from "../files/durable-file.js";
import { contentsOf } from "./run-contents.js";
import type { RunFolder } from "./run-folder.js";

/**
 * Puts the checkpoint of a step in the place of the best one.
 *
 * @param isKept whether it also stays the checkpoint of its step
 * @param beforeRename see `writeDurably`
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function putBestInPlace(
  folder: RunFolder,
  step: number,
  isKept: boolean,
  beforeRename: () => Promise<void>,
): Promise<void> {
  await copyDurably(folder.stepFile(step), folder.best, undefined, { beforeRename });
  if (!isKept) await removeBestAside(folder, step);
}

/** Removes the checkpoint of a step, which is no longer needed and does no harm where it stays. */
export async function removeBestAside(folder: RunFolder, step: number): Promise<void> {
  await removeFile(folder.stepFile(step)).catch(() => {});
}

/** The step whose file has a run's best checkpoint, where the process ended before that took its place. */
export async function findBestAside(
  folder: RunFolder,
  { bestStep }: Pick<Progress, "bestStep">,
): Promise<number | undefined> {
  if (bestStep === undefined) return undefined;
  const contents = await contentsOf(folder);
  const hasStep = contents?.steps.some((name) => folder.stepFile(bestStep).endsWith(name));
  if (!contents?.best || !hasStep) return undefined;
  try {
    const { progress } = await readCheckpointFacts(folder.best);
    return progress.step < bestStep ? bestStep : undefined;
  } catch (error) {
    if (!(error instanceof CharnnError)) throw error;
    return undefined;
  }
}
