import path from "node:path";
import type { Option } from "commander";
import { CharnnError } from "../../errors.js";
import type { Checkpoint } from "../../index.js";
import { option } from "../options/option.js";

/** A run that was asked for. */
export interface OpenRun {
  /** The name of its folder. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

export function alsoOption(description: string): Option {
  return option("--also <run...>", description);
}

/** Loads the runs that were asked for, each of another name. */
export async function openRuns(
  asked: readonly string[],
  out: string | undefined,
): Promise<OpenRun[]> {
  const { loadCheckpoint } = await import("../../index.js");
  const runs: OpenRun[] = [];
  for (const run of asked) {
    const checkpoint = await loadCheckpoint(run, { out });
    const folder = path.basename(path.dirname(path.resolve(checkpoint.path)));
    const name = runs.some((other) => other.name === folder) ? checkpoint.path : folder;
    if (runs.some((other) => other.name === name)) {
      throw new CharnnError("INVALID_SETTING", `${run} is asked for twice.`, "Name each run once.");
    }
    runs.push({ name, checkpoint });
  }
  return runs;
}

/** What a stream brings, kept to be read as often as need be. */
export async function rereadable(
  stream: AsyncIterable<Uint8Array>,
): Promise<() => AsyncIterable<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return async function* () {
    yield* chunks;
  };
}
