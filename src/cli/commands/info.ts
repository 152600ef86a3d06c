import type { Command } from "commander";
import { RUNS_FOLDER } from "../../config/names.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import type { CommandContext } from "../context.js";
import { runDetails } from "../format/runs.js";
import { described, jsonOf, listRuns, printListing } from "../listed-runs.js";
import { addOptions } from "../options/add-options.js";

interface InfoOptions {
  readonly out?: string;
  readonly json?: boolean;
}

const INFO = {
  out: outOption,
  json: jsonOption("one object for each run"),
} as const satisfies OptionsOf<InfoOptions>;

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
    const { signal } = interruption;
    if (run === undefined) {
      const listing = await listRuns(out, signal);
      await printListing(listing, { terminal, out, json });
      if (listing.runs.length === 0 && listing.unreadable.length > 0) exitWith(FAILURE);
      return;
    }
    const { loadCheckpoint } = await import("../../runs/load-checkpoint.js");
    const shown = await described(
      await loadCheckpoint(run, { out, signal, factsOnly: true }),
      false,
    );
    const lines = json ? [JSON.stringify(jsonOf(shown))] : runDetails(shown, terminal.outWidth);
    await terminal.out(`${lines.join("\n")}\n`);
  });
}
