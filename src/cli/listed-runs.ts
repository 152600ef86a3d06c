/** Runs with what a listing shows of them. */
import { basename, dirname } from "node:path";
import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import { RUNS_FOLDER } from "../config/names.js";
import type { CharnnError } from "../errors.js";
import { quoted } from "../shell-words.js";
import { printableMessage } from "./format/printable.js";
import { type ListedRun, runList, stateName } from "./format/runs.js";
import { asTyped } from "./invocation.js";
import type { Terminal } from "./terminal/terminal.js";

/** A run that can't be read. */
interface Unreadable {
  readonly path: string;
  readonly error: string;
}

/** All runs in a folder, the newest first. */
export interface Listing {
  readonly runs: readonly ListedRun[];
  readonly unreadable: readonly Unreadable[];
}

/** Reads what all runs in a folder say of themselves. */
export async function listRuns(out: string, signal: AbortSignal): Promise<Listing> {
  const { listCheckpoints } = await import("../runs/load-checkpoint.js");
  const unreadable: Unreadable[] = [];
  const onUnreadable = (path: string, { message }: CharnnError) =>
    unreadable.push({ path, error: message });
  const runs: ListedRun[] = [];
  for (const checkpoint of await listCheckpoints({ out, onUnreadable, signal })) {
    runs.push(await described(checkpoint, true));
  }
  return { runs, unreadable };
}

/** Prints a listing: as a table with the run marked that `sample` takes, or as JSON. */
export async function printListing(
  { runs, unreadable }: Listing,
  { terminal, out, json }: { terminal: Terminal; out: string; json: boolean | undefined },
): Promise<void> {
  if (json) {
    for (const row of [...runs.map(jsonOf), ...unreadable]) {
      await terminal.out(`${JSON.stringify(row)}\n`);
    }
  } else if (runs.length + unreadable.length > 0) {
    const { findCheckpoint } = await import("../runs/find-runs.js");
    const taken = await findCheckpoint(undefined, out).catch(() => undefined);
    const lines = runList(runs, taken && basename(dirname(taken)), terminal.outWidth);
    // The message begins with the path.
    const errors = unreadable.map(({ error }) => printableMessage(error));
    for (const line of [...lines, ...errors]) await terminal.out(`${line}\n`);
  } else {
    const folder = out === RUNS_FOLDER ? "" : ` --out ${quoted(out)}`;
    terminal.say(asTyped(`There are no runs yet. Make one: charnn train FILE${folder}`));
  }
}

/** @param isFolder whether the path is that of a run, not of a checkpoint */
export async function described(
  { path, config, progress, vocabulary }: CheckpointFacts & { readonly path: string },
  isFolder: boolean,
): Promise<ListedRun> {
  const { parameterCount } = await import("../config/parameters.js");
  const { folderAt } = await import("../runs/run-folder.js");
  const { contentsOf } = await import("../runs/run-contents.js");
  const { runState } = await import("../runs/run-state.js");
  const { endReached } = await import("../training/run-end.js");
  const folderPath = isFolder ? path : dirname(path);
  const folder = folderAt(dirname(folderPath), basename(folderPath));
  const state = await runState(folder, await contentsOf(folder));
  const isDone = endReached({ config, progress }) !== undefined;
  const parameters = parameterCount(config.model);
  const characters = vocabulary.toJSON();
  return {
    name: folder.name,
    path,
    parameters,
    config,
    progress,
    vocabulary: characters,
    ...{ state, isDone },
  };
}

/** What `--json` says of a run. */
export function jsonOf({
  path,
  parameters,
  config,
  progress,
  vocabulary,
  name,
  state,
  isDone,
}: ListedRun) {
  return {
    ...{ path, parameters, config, progress, vocabulary, name },
    state: stateName({ state, isDone, config }),
    savedAt: state.savedAt?.toISOString(),
    ...(state.origin && { settings: state.origin.settings, version: state.origin.version }),
  };
}
