import type { RunFolder } from "../runs/run-folder.js";
import { counted } from "../text.js";
import { agrees } from "./agrees.js";
import type { CommandContext } from "./context.js";
import { bytes } from "./format/format.js";

export interface Removal {
  readonly folders: readonly RunFolder[];
  /** The folder of runs. */
  readonly out: string;
  /** Whether not to ask. */
  readonly yes: boolean | undefined;
  readonly json: boolean | undefined;
  /** What was typed after `charnn`, for whoever can't be asked. */
  readonly typed: string;
}

/**
 * Removes runs, after asking. Nothing is removed unless all can be.
 *
 * @throws CharnnError as `removeRun` does, and `INVALID_SETTING` where there is no terminal to ask on
 */
export async function removeRuns(
  { terminal, interruption }: CommandContext,
  { folders, out, yes, json, typed }: Removal,
): Promise<void> {
  const { checkRemovable, finishRemovals, removeRun } = await import("../runs/remove-run.js");
  const { signal } = interruption;
  await finishRemovals(out);
  let total = 0;
  for (const folder of folders) total += (await checkRemovable(folder)).bytes;
  if (folders.length === 0) {
    terminal.say("There is nothing to remove.");
    return;
  }
  if (!yes) {
    const names = folders.map(({ name }) => name).join(", ");
    terminal.say(`To be removed: ${counted(folders.length, "run")}, ${bytes(total)}: ${names}`);
    if (!(await agrees(terminal, typed, signal))) {
      terminal.say("Nothing was removed.");
      return;
    }
  }
  // A run is removed whole.
  await interruption.finishFirst();
  for (const folder of folders) {
    signal.throwIfAborted();
    const { name, path } = folder;
    const removed = { name, path, bytes: await removeRun(folder, signal) };
    if (json) await terminal.out(`${JSON.stringify(removed)}\n`);
    else terminal.say(`Removed ${path}, ${bytes(removed.bytes)}.`);
  }
}
