import { basename } from "node:path";
import { type CheckpointFacts, readCheckpoint } from "../checkpoint/checkpoint.js";
import { CharnnError } from "../errors.js";
import { quoted } from "../shell-words.js";
import { contentsOf, type RunContents } from "./run-contents.js";
import type { RunFolder } from "./run-folder.js";
import { type SavedState, statesBesideLast } from "./saved-states.js";

const NAMES_IN_MESSAGE = 4;

/**
 * What the checkpoint from which a run goes on says, once all of it is checked. Where it is missing or damaged,
 * nothing else takes its place: the user is told what else the run has, and decides how to continue.
 *
 * @throws CharnnError `CANNOT_RESUME` for one that is missing, `BAD_CHECKPOINT` for one that is damaged
 */
export async function readLast(
  folder: RunFolder,
  signal: AbortSignal | undefined,
): Promise<CheckpointFacts> {
  const contents = await contentsOf(folder);
  if (!contents?.last) {
    const message = `The run ${folder.name} has no ${basename(folder.last)} to go on from.`;
    throw await withWaysOn("CANNOT_RESUME", message, folder, contents);
  }
  try {
    // Only checked: its tensors are read again into the run's arrays.
    return await readCheckpoint(folder.last, { onTensor: () => false, signal });
  } catch (error) {
    if (!(error instanceof CharnnError) || error.code !== "BAD_CHECKPOINT") throw error;
    throw await withWaysOn(error.code, error.message, folder, contents, error);
  }
}

/** An error that also says what there is in place of the last checkpoint, and what to type. */
async function withWaysOn(
  code: "CANNOT_RESUME" | "BAD_CHECKPOINT",
  problem: string,
  folder: RunFolder,
  contents: RunContents | undefined,
  cause?: CharnnError,
): Promise<CharnnError> {
  const saved = contents ? await statesBesideLast(folder, contents) : [];
  const whole = await firstWhole(saved);
  if (!contents || !whole) {
    const hasOthers = contents && (contents.best || contents.steps.length > 0);
    const others = hasOthers ? ", and no other that is whole" : "";
    const message = others ? `${problem.replace(/\.$/, "")}${others}.` : problem;
    const hint = "Start over with `overwrite`, or train another run with another `name`.";
    return new CharnnError(code, message, hint, { cause });
  }
  const named = saved.slice(0, NAMES_IN_MESSAGE).map(({ path }) => basename(path));
  const more = saved.length > named.length ? " ..." : ".";
  const message = `${problem} It has ${named.join(", ")}${more}`;
  return new CharnnError(code, message, waysOn(folder, contents, whole), { cause });
}

function waysOn({ last }: RunFolder, contents: RunContents, { path, facts }: SavedState): string {
  const isWindows = process.platform === "win32";
  const command = (name: string, from: string, to: string) =>
    [name, ...[from, to].map(quoted)].join(" ");
  const copy = command(isWindows ? "copy" : "cp", path, last);
  // A copy onto a folder goes into it, and one onto a link to where that leads.
  const aside = command(isWindows ? "move" : "mv", last, `${last}.damaged`);
  // The PowerShell that Windows brings knows no `&&`.
  const commands = contents.last ? [aside, copy] : [copy];
  const toType = isWindows ? commands.join(" and then ") : commands.join(" && ");
  return (
    `To begin another run with its weights, add \`initFrom: ${quoted(path)}\` and another \`name\`. ` +
    `To go on exactly from step ${facts.progress.step}, run this command, then repeat yours: ` +
    `${toType}`
  );
}

async function firstWhole(states: readonly SavedState[]): Promise<SavedState | undefined> {
  for (const state of states) {
    try {
      await readCheckpoint(state.path, { onTensor: () => false });
      return state;
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
    }
  }
  return undefined;
}
