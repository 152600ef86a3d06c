import type { Command } from "commander";
import { RUNS_FOLDER } from "../../config/names.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import type { CommandContext } from "../context.js";
import { addOptions } from "../options/add-options.js";

interface MvOptions {
  readonly out?: string;
  readonly json?: boolean;
}

const MV = {
  out: outOption,
  json: jsonOption("one object"),
} as const satisfies OptionsOf<MvOptions>;

export function runsMvCommand(runs: Command, { terminal, interruption }: CommandContext): void {
  const command = runs
    .command("mv")
    .summary("Rename a run")
    .description("Give a run another name. A run that is being trained is refused.")
    .argument("<run>", "a run's name or folder")
    .argument("<name>", "its new name, which no other run has");
  addOptions(command, MV, ["charnn runs mv book-gru-1x256 book"]).action(
    async (run: string, name: string, { out = RUNS_FOLDER, json }: MvOptions) => {
      const { findRun } = await import("../../runs/find-runs.js");
      const { moveRun } = await import("../../runs/move-run.js");
      const from = await findRun(run, out);
      const { path } = await moveRun(from, name, interruption.signal);
      if (json) await terminal.out(`${JSON.stringify({ from: from.path, path })}\n`);
      else terminal.say(`Renamed ${from.path} to ${path}.`);
    },
  );
}
