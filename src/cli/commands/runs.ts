import type { Command } from "commander";
import { oneOf } from "../../config/kinds.js";
import { RUNS_FOLDER } from "../../config/names.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import type { CommandContext } from "../context.js";
import type { ListedRun } from "../format/runs.js";
import { listRuns, printListing } from "../listed-runs.js";
import { addOptions } from "../options/add-options.js";
import { runsDiffCommand } from "./runs-diff.js";
import { runsMvCommand } from "./runs-mv.js";
import { runsPruneCommand } from "./runs-prune.js";
import { runsRmCommand } from "./runs-rm.js";

const ORDERS = ["date", "loss", "name"] as const;

interface RunsOptions {
  readonly sort?: (typeof ORDERS)[number];
  readonly out?: string;
  readonly json?: boolean;
}

const RUNS = {
  sort: {
    kind: oneOf(ORDERS),
    value: "<what>",
    help: "List the newest, the lowest held-out loss or the first name first",
    default: "date",
  },
  out: outOption,
  json: jsonOption("one object for each run"),
} as const satisfies OptionsOf<RunsOptions>;

/** When there are runs, and none of them can be read. */
const FAILURE = 1;

export function runsCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption, exitWith } = context;
  const command = program
    .command("runs")
    .summary("List and manage runs")
    .description("List all runs. Its own commands remove, rename and compare them.")
    .enablePositionalOptions();
  addOptions(command, RUNS, [
    "charnn runs",
    "charnn runs --sort loss",
    "charnn runs diff night day",
    "charnn runs rm 'book-*'",
    "charnn runs mv book-gru-1x256 book",
    "charnn runs prune --keep-best 3",
  ]).action(async ({ sort = "date", out = RUNS_FOLDER, json }: RunsOptions) => {
    const listing = await listRuns(out, interruption.signal);
    const runs = sorted(listing.runs, sort);
    await printListing({ ...listing, runs }, { terminal, out, json });
    if (runs.length === 0 && listing.unreadable.length > 0) exitWith(FAILURE);
  });
  for (const add of [runsDiffCommand, runsMvCommand, runsPruneCommand, runsRmCommand]) {
    add(command, context);
  }
}

/** @param runs the newest first */
function sorted(runs: readonly ListedRun[], order: (typeof ORDERS)[number]): readonly ListedRun[] {
  if (order === "name") return runs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (order === "loss") return runs.toSorted((a, b) => lossOf(a) - lossOf(b));
  return runs;
}

function lossOf({ progress: { bestLoss = Number.MAX_VALUE } }: ListedRun): number {
  return bestLoss;
}
