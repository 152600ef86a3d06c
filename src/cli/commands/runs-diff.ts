import type { Command } from "commander";
import { RUNS_FOLDER } from "../../config/names.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import type { CommandContext } from "../context.js";
import { columns } from "../format/format.js";
import { addOptions } from "../options/add-options.js";

interface DiffOptions {
  readonly out?: string;
  readonly json?: boolean;
}

const DIFF = {
  out: outOption,
  json: jsonOption("one object"),
} as const satisfies OptionsOf<DiffOptions>;

export function runsDiffCommand(runs: Command, { terminal }: CommandContext): void {
  const command = runs
    .command("diff")
    .summary("Compare two runs")
    .description("Show the settings of two runs that differ, and their results.")
    .argument("<run>", "a run's name or folder")
    .argument("<other>", "another one");
  addOptions(command, DIFF, [
    "charnn runs diff night day",
    "charnn runs diff night day --json",
  ]).action(async (one: string, other: string, { out = RUNS_FOLDER, json }: DiffOptions) => {
    const { compareRuns } = await import("../compared-runs.js");
    const { findRun } = await import("../../runs/find-runs.js");
    const compared = await compareRuns([await findRun(one, out), await findRun(other, out)]);
    if (json) {
      const { shown, ...facts } = compared;
      await terminal.out(`${JSON.stringify(facts)}\n`);
      return;
    }
    const { runs, shown, isSameText } = compared;
    const results = shown.results.length > 0 ? [["", "", ""], ...shown.results] : [];
    const lines = columns([["", ...runs], ...shown.settings, ...results]);
    for (const line of lines) await terminal.out(`${line.trimEnd()}\n`);
    if (shown.settings.length === 0) terminal.say("No setting differs.");
    if (!isSameText) {
      terminal.say("They learned from different texts: their losses can't be compared.");
    }
  });
}
