import { basename, dirname } from "node:path";
import type { Command } from "commander";
import type { CheckpointFacts } from "../../checkpoint/checkpoint.js";
import { RUNS_FOLDER } from "../../config/names.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import type { CharnnError } from "../../errors.js";
import { quoted } from "../../shell-words.js";
import type { CommandContext } from "../context.js";
import { printableMessage } from "../format/printable.js";
import { type ListedRun, runDetails, runList, stateName } from "../format/runs.js";
import { asTyped } from "../invocation.js";
import { addOptions } from "../options/add-options.js";

interface InfoOptions {
  readonly out?: string;
  readonly json?: boolean;
}

const INFO = {
  out: outOption,
  json: jsonOption("one object for each run"),
} as const satisfies OptionsOf<InfoOptions>;

/** A run that can't be read. */
interface Unreadable {
  readonly path: string;
  readonly error: string;
}

/** When there are runs, and none of them can be read. */
const FAILURE = 1;

export function infoCommand(
  program: Command,
  { terminal, interruption, exitWith }: CommandContext,
): void {
  const command = program
    .command("info")
    .summary("List runs, or show one")
    .description("List all runs, or show what is in one.")
    .argument("[run]", "a run's name or folder, or a checkpoint file");
  addOptions(command, INFO, [
    "charnn info",
    "charnn info shakespeare-gru-1x256",
    "charnn info checkpoints/night/last.safetensors --json",
  ]).action(async (run: string | undefined, { out = RUNS_FOLDER, json }: InfoOptions) => {
    const { listCheckpoints, loadCheckpoint } = await import("../../runs/load-checkpoint.js");
    const { findCheckpoint } = await import("../../runs/find-runs.js");
    const { signal } = interruption;
    const unreadable: Unreadable[] = [];
    const onUnreadable = (path: string, { message }: CharnnError) =>
      unreadable.push({ path, error: message });
    const checkpoints =
      run === undefined
        ? await listCheckpoints({ out, onUnreadable, signal })
        : [await loadCheckpoint(run, { out, signal, tensors: "none" })];
    const runs: ListedRun[] = [];
    for (const checkpoint of checkpoints) {
      runs.push(await described(checkpoint, run === undefined));
    }
    if (json) {
      for (const row of [...runs.map(jsonOf), ...unreadable]) {
        await terminal.out(`${JSON.stringify(row)}\n`);
      }
    } else if (run !== undefined) {
      await terminal.out(`${runDetails(runs[0], terminal.outWidth).join("\n")}\n`);
    } else if (runs.length + unreadable.length > 0) {
      const taken = await findCheckpoint(undefined, out).catch(() => undefined);
      const lines = runList(runs, taken && basename(dirname(taken)), terminal.outWidth);
      // The message begins with the path.
      const errors = unreadable.map(({ error }) => printableMessage(error));
      for (const line of [...lines, ...errors]) await terminal.out(`${line}\n`);
    } else {
      const folder = out === RUNS_FOLDER ? "" : ` --out ${quoted(out)}`;
      terminal.say(asTyped(`There are no runs yet. Make one: charnn train FILE${folder}`));
    }
    if (runs.length === 0 && unreadable.length > 0) exitWith(FAILURE);
  });
}

/** @param isFolder whether the path is that of a run, not of a checkpoint */
async function described(
  { path, config, progress, vocabulary }: CheckpointFacts & { readonly path: string },
  isFolder: boolean,
): Promise<ListedRun> {
  const { parameterCount } = await import("../../config/model.js");
  const { folderAt } = await import("../../runs/run-folder.js");
  const { contentsOf } = await import("../../runs/run-contents.js");
  const { runState } = await import("../../runs/run-state.js");
  const { endReached } = await import("../../training/run-end.js");
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
function jsonOf({
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
    state: stateName({ state, isDone }),
    savedAt: state.savedAt?.toISOString(),
    ...(state.origin && { settings: state.origin.settings, version: state.origin.version }),
  };
}
