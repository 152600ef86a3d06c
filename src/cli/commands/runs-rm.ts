import type { Command } from "commander";
import { FLAG } from "../../config/kinds.js";
import { RUNS_FOLDER } from "../../config/names.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import type { RunFolder } from "../../runs/run-folder.js";
import { quoted } from "../../shell-words.js";
import type { CommandContext } from "../context.js";
import { addOptions } from "../options/add-options.js";
import { removeRuns } from "../remove-runs.js";

interface RmOptions {
  readonly yes?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

const RM = {
  yes: { kind: FLAG, short: "-y", help: "Remove without asking" },
  out: outOption,
  json: jsonOption("one object for each run"),
} as const satisfies OptionsOf<RmOptions>;

export function runsRmCommand(runs: Command, context: CommandContext): void {
  const command = runs
    .command("rm")
    .summary("Remove runs")
    .description(
      "Remove runs with all their checkpoints. Runs that are being trained, links and folders with other files in them are refused.",
    )
    .argument("<names...>", "names or folders of runs; * and ? stand for any characters");
  addOptions(command, RM, ["charnn runs rm night", "charnn runs rm 'book-*' --yes"]).action(
    async (names: string[], { yes, out = RUNS_FOLDER, json }: RmOptions) => {
      const typed = ["runs rm", ...names.map(quoted), ...outWords(out)].join(" ");
      await removeRuns(context, { folders: await foldersOf(names, out), out, yes, json, typed });
    },
  );
}

/** As it is typed again where it is another folder. */
export function outWords(out: string): string[] {
  return out === RUNS_FOLDER ? [] : ["--out", quoted(out)];
}

/** The runs that are meant, each once. */
async function foldersOf(names: readonly string[], out: string): Promise<RunFolder[]> {
  const { findRun } = await import("../../runs/find-runs.js");
  const { runsLike } = await import("../runs-like.js");
  const folders = new Map<string, RunFolder>();
  for (const name of names) {
    const found = (await runsLike(name, out)) ?? [await findRun(name, out)];
    for (const folder of found) folders.set(folder.path, folder);
  }
  return [...folders.values()];
}
