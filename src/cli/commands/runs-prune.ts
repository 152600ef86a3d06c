import { dirname } from "node:path";
import type { Command } from "commander";
import { FLAG, wholeNumber } from "../../config/kinds.js";
import { RUNS_FOLDER } from "../../config/names.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import { CharnnError } from "../../errors.js";
import type { RunFolder } from "../../runs/run-folder.js";
import type { CommandContext } from "../context.js";
import { printableMessage } from "../format/printable.js";
import type { ListedRun } from "../format/runs.js";
import { listRuns } from "../listed-runs.js";
import { addOptions } from "../options/add-options.js";
import { removeRuns } from "../remove-runs.js";
import { outWords } from "./runs-rm.js";

interface PruneOptions {
  readonly keepBest?: number;
  readonly yes?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

const PRUNE = {
  keepBest: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "Keep the n runs of each text with the lowest held-out loss (needed)",
  },
  yes: { kind: FLAG, short: "-y", help: "Remove without asking" },
  out: outOption,
  json: jsonOption("one object for each run that is removed"),
} as const satisfies OptionsOf<PruneOptions>;

export function runsPruneCommand(runs: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = runs
    .command("prune")
    .summary("Keep the best runs")
    .description(
      "Remove all but the best runs of each text. Runs that are being trained, that can't be read, or have other files in their folders stay.",
    );
  addOptions(command, PRUNE, [
    "charnn runs prune --keep-best 3",
    "charnn runs prune --keep-best 1 --out models --yes",
  ]).action(async ({ keepBest, yes, out = RUNS_FOLDER, json }: PruneOptions) => {
    if (keepBest === undefined) {
      throw new CharnnError(
        "INVALID_SETTING",
        "Nothing says which runs to keep.",
        "For example: charnn runs prune --keep-best 3",
      );
    }
    const { checked, settingsSchema } = await import("../../config/schema.js");
    checked(settingsSchema({ keepBest: PRUNE.keepBest }), { keepBest });
    const { runs: all, unreadable } = await listRuns(out, interruption.signal);
    for (const { error } of unreadable) terminal.warn(`${printableMessage(error)} It stays.`);
    const folders = await removable(context, others(all, keepBest));
    const typed = ["runs prune --keep-best", keepBest, ...outWords(out)].join(" ");
    await removeRuns(context, { folders, out, yes, json, typed });
  });
}

/** The runs that are not among the best of their text: losses on different texts can't be compared. */
function others(runs: readonly ListedRun[], keepBest: number): ListedRun[] {
  const byText = new Map<string, ListedRun[]>();
  for (const run of runs) {
    const { fingerprint } = run.config.text;
    byText.set(fingerprint, [...(byText.get(fingerprint) ?? []), run]);
  }
  return [...byText.values()].flatMap((own) =>
    own.toSorted((a, b) => lossOf(a) - lossOf(b)).slice(keepBest),
  );
}

function lossOf({ progress: { bestLoss = Number.MAX_VALUE } }: ListedRun): number {
  return bestLoss;
}

/** Those of the runs that can be removed; of the others it is said why not. */
async function removable(
  { terminal }: CommandContext,
  runs: readonly ListedRun[],
): Promise<RunFolder[]> {
  const { folderAt } = await import("../../runs/run-folder.js");
  const { checkRemovable } = await import("../../runs/remove-run.js");
  const folders: RunFolder[] = [];
  for (const { path, name } of runs) {
    const folder = folderAt(dirname(path), name);
    try {
      await checkRemovable(folder);
      folders.push(folder);
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
      terminal.warn(printableMessage(error.message));
    }
  }
  return folders;
}
