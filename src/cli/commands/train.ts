import { basename, dirname } from "node:path";
import type { Command } from "commander";
import { TRAIN } from "../../config/train.js";
import type { TrainCommandSettings } from "../../config/train-settings.js";
import type { CommandContext } from "../context.js";
import { asTyped } from "../invocation.js";
import { addOptions } from "../options/add-options.js";
import { printConfig } from "../print-config.js";
import { createReporter } from "../reporters/create.js";
import { resumeCommand } from "../resume-command.js";
import { TO_LINE_START } from "../terminal/styled.js";

/** What can be typed beside the files. */
export type TrainOptions = Omit<TrainCommandSettings, "files" | "fold" | "config">;

export function trainCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption, ranks } = context;
  const command = program
    .command("train")
    .summary("Learn from text")
    .description("Train a model on text. Ctrl-C saves and stops; --resume continues.")
    .argument("<files...>", "files and folders of text; - is standard input");
  addOptions(command, TRAIN, [
    "charnn train book.txt",
    "charnn train book.txt --max-time 10m --name night",
    "charnn train book.txt --name night --resume",
    "charnn train names.txt --documents lines",
    "charnn train book.txt --preset medium --epochs 20",
    "charnn train book.txt --cell lstm --layers 2 --hidden-size 256",
    "charnn train letters.txt --init-from night --epochs 3",
    "cat *.md | charnn train - --name notes --json",
  ]).action(async (files: string[], options: TrainOptions) => {
    const { json, quiet, crossValidate, printConfig: isPrinted, mpi: _, ...given } = options;
    const settings = { ...given, files };
    const reporter = createReporter(terminal, { files, options });
    let isBegun = false;
    let ended: string | undefined;
    interruption.restoreBy(reporter.close);
    if (isPrinted) return printConfig(context, settings, reporter, json);
    await interruption.finishFirst(() => {
      // Before the first step there is nothing to finish.
      if (!isBegun) return;
      // The terminal has written ^C there, which the line then covers.
      const start = terminal.isInteractive ? TO_LINE_START : "";
      reporter.say(start, "Finishing this step and saving; Ctrl-C again stops at once.");
    });
    try {
      const { crossValidateTogether } = await import("../../training/cross-validate.js");
      const { trainTogether } = await import("../../training/trainer.js");
      interruption.signal.throwIfAborted();
      const signals = {
        ranks,
        signal: interruption.signal,
        stdin: process.stdin,
        onPreparation: reporter.prepare,
        // The time that a user waits begins with the process.
        clock: () => performance.now() / 1e3,
      };
      const events =
        crossValidate === undefined
          ? trainTogether(settings, signals)
          : crossValidateTogether(settings, crossValidate, signals);
      for await (const event of events) {
        if (event.event === "end") ended = event.path;
        isBegun ||= event.event === "step";
        await reporter.report(event);
      }
    } catch (error) {
      if (!(await interruption.hasCaused(error)) || !interruption.isSignalled) throw error;
      reporter.close();
      terminal.say(
        terminal.isInteractive ? TO_LINE_START : "",
        "Interrupted before the first step: nothing was changed.",
      );
      // In a cross-validation, earlier folds are done.
      if (ended !== undefined && !json && !quiet) {
        const fold = basename(dirname(ended));
        terminal.say(`To continue: ${asTyped(resumeCommand(fold, files, options).command)}`);
      }
    } finally {
      reporter.close();
    }
  });
}
