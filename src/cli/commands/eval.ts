import type { Command } from "commander";
import { EVAL_DEFAULTS as DEFAULTS } from "../../defaults.js";
import type { EvaluateSettings, TextScore } from "../../index.js";
import { backendOption, jsonOption, outOption, threadsOption } from "../options/model-options.js";
import { choice, option } from "../options/option.js";
import { columns, count } from "../terminal/format.js";
import type { CommandContext } from "./context.js";

interface EvalOptions extends Omit<EvaluateSettings, "files"> {
  out?: string;
  json?: true;
}

export function evalCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command("eval")
    .description("Score a model on any text: how well it predicts each next character.")
    .argument("<run>", "a run's name or folder, or a checkpoint file")
    .argument("<files...>", "files and folders of text; - is standard input")
    .addOption(
      choice(
        "--unknown <what>",
        "characters the model does not know",
        ["error", "skip"],
        DEFAULTS.unknown,
      ),
    )
    .addOption(
      option("--dynamic", "score it once more with weights that follow the text (much slower)"),
    )
    .addOption(option("--encoding <name>", "of the files", undefined, DEFAULTS.encoding))
    .addOption(outOption())
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption("one object"))
    .addHelpText(
      "after",
      `
Examples:
  charnn eval shakespeare-gru-1x256 other.txt
  charnn eval shakespeare-gru-1x256 other.txt --dynamic
  charnn eval checkpoints/night - --json < other.txt`,
    )
    .action(async (run: string, files: string[], { out, json, ...options }: EvalOptions) => {
      const { evaluateText, loadCheckpoint } = await import("../../index.js");
      const checkpoint = await loadCheckpoint(run, { out });
      const score = await evaluateText(
        checkpoint,
        { ...options, files },
        { stdin: process.stdin, onWarning: terminal.warn },
      );
      for (const message of score.warnings) terminal.warn(message);
      if (score.skipped > 0) {
        const which = score.skippedCharacters.join(" ");
        terminal.warn(
          `${count(score.skipped)} characters that the model does not know were left out: ${which}`,
        );
      }
      await terminal.out(json ? `${JSON.stringify(score)}\n` : table(score));
    });
}

function table(score: TextScore): string {
  const columnsOf = score.dynamic ? [score, score.dynamic] : [score];
  const rows = [
    ...(score.dynamic ? [["", "plain", "dynamic"]] : []),
    ["loss", ...columnsOf.map(({ loss }) => `${loss.toFixed(4)} nats/char`)],
    ["bits per character", ...columnsOf.map((it) => it.bitsPerCharacter.toFixed(4))],
    ["perplexity", ...columnsOf.map(({ perplexity }) => perplexity.toFixed(3))],
    ["accuracy", ...columnsOf.map(({ accuracy }) => `${(100 * accuracy).toFixed(2)} %`)],
    ["characters", count(score.characters)],
  ];
  return `${columns(rows).join("\n")}\n`;
}
