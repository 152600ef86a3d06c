import type { Command } from "commander";
import { IMPORT, type ImportCommandSettings } from "../../config/import.js";
import { RUNS_FOLDER } from "../../config/names.js";
import { quoted } from "../../shell-words.js";
import { formatCount } from "../../text.js";
import type { CommandContext } from "../context.js";
import { modelName } from "../format/summary.js";
import { asTyped } from "../invocation.js";
import { addOptions } from "../options/add-options.js";

/** What can be typed beside the operand. */
type ImportOptions = Omit<ImportCommandSettings, "weights">;

export function importCommand(program: Command, { terminal, interruption }: CommandContext): void {
  const command = program
    .command("import")
    .summary("Import a PyTorch model")
    .description(
      "Make a run of a PyTorch model. It can do all that a trained run can, except go on with its training.",
    )
    .argument("<weights>", "a safetensors file; docs/checkpoint-format.md says what it must hold");
  addOptions(command, IMPORT, [
    "charnn import weights.safetensors",
    "charnn import weights.safetensors --vocabulary chars.json --name torch",
    "charnn import weights.safetensors --vocabulary chars.txt --map names.json",
  ]).action(async (weights: string, { json, ...options }: ImportOptions) => {
    const { basename, dirname } = await import("node:path");
    const { parameterCount } = await import("../../config/parameters.js");
    const { importRun } = await import("../../exchange/import-run.js");
    // What is being written is finished, or removed.
    await interruption.finishFirst();
    const { signal } = interruption;
    const { path, config, vocabulary } = await importRun({ ...options, weights }, { signal });
    const { model } = config;
    const parameters = parameterCount(model);
    const name = basename(dirname(path));
    if (json) {
      const facts = { name, path, model, parameters, vocabulary: vocabulary.toJSON() };
      await terminal.out(`${JSON.stringify(facts)}\n`);
      return;
    }
    const { out = RUNS_FOLDER } = options;
    const where = out === RUNS_FOLDER ? [] : ["--out", quoted(out)];
    await terminal.out(`${path}\n`);
    terminal.say(
      `${modelName(model)}, ${formatCount(model.vocabularySize)} characters, ${formatCount(parameters)} parameters.`,
    );
    terminal.say(asTyped(["To write: charnn sample", quoted(name), ...where].join(" ")));
  });
}
