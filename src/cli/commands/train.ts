import { basename, dirname } from "node:path";
import type { Command } from "commander";
import {
  BATCHING_NAMES,
  TRAIN_DEFAULTS as DEFAULTS,
  LINE_END_NAMES,
  OPTIMIZER_NAMES,
  PRESET_NAMES,
  SCHEDULE_NAMES,
  SPLIT_NAMES,
} from "../../config/defaults.js";
import type { TrainSettings } from "../../index.js";
import {
  backendOption,
  batchSizeOption,
  cellOption,
  DROPOUT_TITLE,
  dropoutOptions,
  embeddingSizeOption,
  encodingOption,
  hiddenSizeOption,
  invalidOption,
  layersOption,
  seqLengthOption,
  threadsOption,
} from "../options/model-options.js";
import { choice, option } from "../options/option.js";
import { number, replan, seconds } from "../options/parsers.js";
import { createReporter } from "../reporters/create.js";
import { TO_LINE_START } from "../terminal/styled.js";
import type { CommandContext } from "./context.js";
import { resumeCommand } from "./resume-command.js";

const BY_PRESET = "by the preset";
const BY_LENGTH = "by the model, the text and the epochs";
const DROPOUT_DEFAULTS = {
  dropout: BY_LENGTH,
  inputDropout: BY_LENGTH,
  recurrentDropout: BY_LENGTH,
  weightDropout: DEFAULTS.weightDropout,
};

/** What can be typed beside the files. */
export interface TrainOptions extends Omit<TrainSettings, "files" | "fold"> {
  crossValidate?: number;
  json?: true;
  quiet?: true;
}

export function trainCommand(program: Command, { terminal, interruption }: CommandContext): void {
  const command = program
    .command("train")
    .description("Train a model on text. Ctrl-C saves and stops; --resume goes on.")
    .argument("<files...>", "files and folders of text; - is standard input")
    .addOption(
      choice(
        "--preset <size>",
        "what else is not given",
        PRESET_NAMES,
        "by the time, or else the text",
      ),
    )
    .optionsGroup("Model:")
    .addOption(cellOption(DEFAULTS.cell))
    .addOption(layersOption(DEFAULTS.layers))
    .addOption(hiddenSizeOption(BY_PRESET))
    .addOption(embeddingSizeOption(BY_PRESET))
    .optionsGroup("Text:")
    .addOption(
      option("--validation <share>", "held out to score the model on", number, DEFAULTS.validation),
    )
    .addOption(option("--test <share>", "kept apart from both, at the end", number, DEFAULTS.test))
    .addOption(option("--validation-file <file>", "a text of its own to validate on"))
    .addOption(
      option("--cross-validate <k>", "train k models, each validated on another k-th", number),
    )
    .addOption(choice("--documents <kind>", "many short texts, one a line", ["lines"]))
    .addOption(
      choice(
        "--split <how>",
        "hold out random lines, or the end of the text",
        SPLIT_NAMES,
        "random with --documents, else sequential",
      ),
    )
    .addOption(encodingOption("of the files"))
    .addOption(invalidOption())
    .addOption(
      choice(
        "--line-ends <kind>",
        "as they are, or all as newlines",
        LINE_END_NAMES,
        "keep, and lf with --documents",
      ),
    )
    .addOption(
      option(
        "--min-count <n>",
        "characters that occur less often become one unknown character, which is never written",
        number,
      ),
    )
    .optionsGroup("Batches:")
    .addOption(batchSizeOption(BY_PRESET))
    .addOption(seqLengthOption(DEFAULTS.seqLength))
    .addOption(
      choice(
        "--batching <kind>",
        "read the text in parallel lanes with the state carried on, or shuffled windows",
        BATCHING_NAMES,
        DEFAULTS.batching,
      ),
    )
    .addOption(option("--stride <n>", "characters between windows", number, "the sequence length"))
    .optionsGroup("How long (the first limit reached ends the run):")
    .addOption(option("--epochs <n>", "passes over the text", number, "by the text's length"))
    .addOption(option("--steps <n>", "batches learned from", number))
    .addOption(
      option(
        "--max-time <time>",
        "from the start of the command to its end, such as 90s, 10m or 2h; alone, 100 epochs at most",
        seconds,
      ),
    )
    .addOption(
      option(
        "--replan <step:steps,...>",
        "with --steps: change the number of steps at that step, as the run to be repeated did",
        replan,
      ),
    )
    .addOption(
      option(
        "--patience <n>",
        "evaluations in a row without a lower validation loss; 0 is any number",
        number,
      ),
    )
    .addOption(
      option("--target-loss <loss>", "a validation loss that is low enough; 0 is none", number),
    )
    .optionsGroup(DROPOUT_TITLE);
  for (const made of dropoutOptions(DROPOUT_DEFAULTS)) command.addOption(made);
  command
    .optionsGroup("Optimization:")
    .addOption(
      option("--weight-decay <rate>", "decoupled, of all parameters", number, DEFAULTS.weightDecay),
    )
    .addOption(choice("--optimizer <name>", "update rule", OPTIMIZER_NAMES, DEFAULTS.optimizer))
    .addOption(option("--learning-rate <rate>", "at its highest", number, BY_PRESET))
    .addOption(
      choice("--schedule <name>", "how the learning rate falls", SCHEDULE_NAMES, DEFAULTS.schedule),
    )
    .addOption(
      option("--warmup-steps <n>", "steps in which it rises first", number, DEFAULTS.warmupSteps),
    )
    .addOption(
      option(
        "--clip-norm <norm>",
        "largest norm of the gradient; 0 is any",
        number,
        DEFAULTS.clipNorm,
      ),
    )
    .addOption(
      option("--clip-value <size>", "largest gradient; 0 is any", number, DEFAULTS.clipValue),
    )
    .addOption(
      option("--accumulate <n>", "batches that make one step", number, DEFAULTS.accumulate),
    )
    .addOption(
      option(
        "--average-decay <share>",
        "of the weights' running average, which is scored and sampled; 0 is none",
        number,
        DEFAULTS.averageDecay,
      ),
    )
    .optionsGroup("Run:")
    .addOption(option("--name <name>", "of the run", undefined, "from the text and the model"))
    .addOption(option("--out <folder>", "where runs have their folders", undefined, DEFAULTS.out))
    .addOption(option("--config <file>", "options as a JSON object; what is typed wins"))
    .addOption(option("--init-from <run>", "begin with the weights of a run or checkpoint"))
    .addOption(
      option(
        "--resume",
        "go on from the last checkpoint, exactly; a limit replaces those of its kind",
      ),
    )
    .addOption(option("--overwrite", "replace the run of this name, or of the default one"))
    .addOption(
      option(
        "--eval-every <steps>",
        "evaluate; at each epoch's end too",
        number,
        DEFAULTS.evalEvery,
      ),
    )
    .addOption(
      option(
        "--eval-characters <n>",
        "of the held-out part, from all over it, that an evaluation scores",
        number,
        "all, or with --max-time what there is time for",
      ),
    )
    .addOption(
      option(
        "--save-every <steps>",
        "save; at each evaluation and after five minutes too",
        number,
        DEFAULTS.saveEvery,
      ),
    )
    .addOption(option("--tensorboard", "keep losses, samples and histograms for TensorBoard too"))
    .addOption(option("--keep <n>", "checkpoints step-N that stay", number, DEFAULTS.keep))
    .addOption(option("--random-seed <n>", "same seed, same model", number, DEFAULTS.randomSeed))
    .addOption(backendOption())
    .addOption(threadsOption())
    .optionsGroup("Output:")
    .addOption(option("--json", "one JSON object a line on standard output"))
    .addOption(option("-q, --quiet", "no progress"))
    .addHelpText(
      "after",
      `
Examples:
  charnn train data/shakespeare.txt
  charnn train book.txt --max-time 10m --name night
  charnn train book.txt --preset medium --epochs 20
  charnn train book.txt --cell lstm --layers 2 --hidden-size 256
  charnn train letters.txt --init-from night --epochs 3
  charnn train book.txt --name night --resume
  charnn train names.txt --documents lines
  cat *.md | charnn train - --name notes --json`,
    )
    .action(async (files: string[], { json, quiet, crossValidate, ...options }: TrainOptions) => {
      const settings = { ...options, files };
      const reporter = createReporter(terminal, {
        json,
        quiet,
        resumeCommand: (name) =>
          resumeCommand(name, files, { ...options, json, quiet, crossValidate }),
      });
      let isBegun = false;
      let ended: string | undefined;
      interruption.restoreBy(reporter.close);
      await interruption.finishFirst(() => {
        const what = isBegun ? "Finishing this step and saving" : "Stopping";
        // The terminal has written ^C there, which the line then covers.
        const start = terminal.isInteractive ? TO_LINE_START : "";
        reporter.say(start, `${what}; once more to leave at once.`);
      });
      try {
        const library = await import("../../index.js");
        interruption.signal.throwIfAborted();
        const signals = {
          signal: interruption.signal,
          stdin: process.stdin,
          // The time that a user waits begins with the process.
          clock: () => performance.now() / 1e3,
        };
        const events =
          crossValidate === undefined
            ? library.train(settings, signals)
            : library.crossValidate(settings, crossValidate, signals);
        for await (const event of events) {
          if (event.event === "end") ended = event.path;
          isBegun ||= event.event === "step";
          await reporter.report(event);
        }
      } catch (error) {
        if (!(await interruption.hasCaused(error)) || !interruption.isSignalled) throw error;
        terminal.say("Interrupted before the first step: nothing was changed.");
        // Of a cross-validation, folds before this one are done.
        if (ended !== undefined && !json && !quiet) {
          const fold = basename(dirname(ended));
          const again = { ...options, json, quiet, crossValidate };
          terminal.say(`Go on: ${resumeCommand(fold, files, again).command}`);
        }
      } finally {
        reporter.close();
      }
    });
}
