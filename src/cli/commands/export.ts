import type { Command } from "commander";
import { EXPORT, type ExportCommandSettings } from "../../config/export.js";
import type { Precision } from "../../export/precision.js";
import { logitChange, lossChange } from "../../export/precision-words.js";
import type { CommandContext } from "../context.js";
import { bytes as formatBytes } from "../format/format.js";
import { modelLine } from "../format/summary.js";
import { addOptions, RUN_ARGUMENT } from "../options/add-options.js";
import { isStandardOutput } from "../standard-output.js";
import { createStatus } from "../terminal/status.js";
import { warnIfUntrained } from "../untrained.js";

export function exportCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("export")
    .summary("Export a model")
    .description(
      "Write a model to a file that other programs can run, on its own and without charnn. docs/exporting.md says how.",
    )
    .argument("[run]", RUN_ARGUMENT);
  addOptions(command, EXPORT, [
    "charnn export night --to onnx",
    "charnn export checkpoints/night/last.safetensors --to onnx -o model.onnx",
    "charnn export night --to html",
    "charnn export night --to html --bits 8 --text book.txt",
    "charnn export night --to js -o model.js",
  ]).action(async (run: string | undefined, given: ExportCommandSettings) => {
    const { output, overwrite, out, json, ...settings } = given;
    const { parameterCount } = await import("../../config/parameters.js");
    const { memberCount } = await import("../../config/members.js");
    const { writeExport } = await import("../../export/write-export.js");
    // A file that is being written is finished, or removed.
    await interruption.finishFirst();
    const toStdout = isStandardOutput(output, json, terminal);
    const status = createStatus(context);
    status.show("Reading the model");
    const places = { run, output, overwrite, out };
    const { file, companion, bytes, checkpoint, precision } = await writeExport(places, settings, {
      signal: interruption.signal,
      stdin: process.stdin,
      write: toStdout ? terminal.outBytes : undefined,
      onModel: async (model) => {
        await warnIfUntrained(status, model);
        status.show("Writing the file");
      },
    }).finally(status.stop);
    const { model } = checkpoint.config;
    const parameters = parameterCount(model);
    if (json) {
      const facts = {
        file,
        companion,
        format: settings.to,
        bytes,
        checkpoint: checkpoint.path,
        parameters,
        precision,
      };
      await terminal.out(`${JSON.stringify(facts)}\n`);
      return;
    }
    if (!toStdout) await terminal.out(`${file}\n`);
    const members = memberCount(checkpoint.config);
    if (members > 1) {
      terminal.say(
        `This is the first of ${members} models that predict together: a file holds one.`,
      );
    }
    if (companion !== undefined) terminal.say(`With the types of TypeScript in ${companion}.`);
    terminal.say(`${modelLine(model, parameters)}, ${formatBytes(bytes)}`);
    if (precision) terminal.say(precisionLine(precision));
  });
}

/** What fewer bits for the weights have changed, in a sentence. */
function precisionLine(precision: Precision): string {
  const { bits, loss } = precision;
  const logits = `With ${bits} bits for each weight ${logitChange(precision)}`;
  if (!loss) return `${logits}.`;
  return `${logits}; the loss of the text is ${lossChange(loss)}.`;
}
