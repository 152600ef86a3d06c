import { cp, mkdir, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { readCheckpoint, writeCheckpoint } from "#src/checkpoint/checkpoint.js";
import type { Progress } from "#src/config/run.js";

/** Where a run stands that was not evaluated yet. */
export const NOT_EVALUATED: Partial<Progress> = {
  evaluatedAt: 0,
  trainingLoss: undefined,
  validationLoss: undefined,
  bestLoss: undefined,
  bestStep: undefined,
};

/** Where a run stands that has taken no step. */
export const NOT_BEGUN: Partial<Progress> = { ...NOT_EVALUATED, step: 0, epoch: 0, batch: 0 };

/** Copies a run, and gives its one checkpoint another progress. */
export async function copyRun(
  from: string,
  to: string,
  progress: Partial<Progress>,
): Promise<string> {
  await cp(from, to, { recursive: true });
  await rm(path.join(to, "best.safetensors"), { force: true });
  const last = path.join(to, "last.safetensors");
  const checkpoint = await readCheckpoint(last);
  await writeCheckpoint(last, { ...checkpoint, progress: { ...checkpoint.progress, ...progress } });
  return to;
}

/** A run that has reported these lines. */
export async function reportingRun(folder: string, ...lines: readonly object[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  await writeFile(path.join(folder, "metrics.jsonl"), text);
}

/** Makes files of a run as old as if they had been changed so many seconds after 1970. */
export async function dated(folder: string, seconds: number, ...files: string[]): Promise<void> {
  for (const file of files) await utimes(path.join(folder, file), seconds, seconds);
}
