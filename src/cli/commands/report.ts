import type { Command } from "commander";
import { REPORT_DEFAULTS as DEFAULTS } from "../../config/defaults.js";
import { CharnnError } from "../../errors.js";
import type { ReportSettings } from "../../index.js";
import {
  backendOption,
  encodingOption,
  invalidOption,
  outOption,
  threadsOption,
} from "../options/model-options.js";
import { choice, option } from "../options/option.js";
import { number } from "../options/parsers.js";
import type { CommandContext } from "./context.js";

interface ReportOptions extends Omit<ReportSettings, "runs"> {
  output?: string;
  overwrite?: true;
  watch?: true;
  port?: number;
}

export function reportCommand(program: Command, { terminal, interruption }: CommandContext): void {
  program
    .command("report")
    .description("Write a page about runs: curves, samples, and what the model sees in a text.")
    .argument("[runs...]", "names or folders of runs; the one that reported last when left out")
    .addOption(option("-o, --output <page>", "the file to write", undefined, "RUN-report.html"))
    .addOption(option("--overwrite", "let the page take the place of any file"))
    .addOption(option("--text <file...>", "look at this text with the first run's model"))
    .addOption(
      choice(
        "--unknown <what>",
        "characters of it that the model does not know",
        ["error", "skip"],
        DEFAULTS.unknown,
      ),
    )
    .addOption(encodingOption("of the text"))
    .addOption(invalidOption())
    .addOption(
      option(
        "--watch",
        "serve the page on this machine and follow the run, also one that is not there yet; the address has a token that keeps others out",
      ),
    )
    .addOption(option("--port <n>", "for --watch", number, "a free one"))
    .addOption(outOption())
    .addOption(backendOption())
    .addOption(threadsOption())
    .addHelpText(
      "after",
      `
Examples:
  charnn report
  charnn report night --text book.txt
  charnn report night day --output both.html
  charnn report night --watch`,
    )
    .action(async (runs: string[], options: ReportOptions) => {
      const { output, overwrite, watch, port, ...given } = options;
      const settings = { ...given, runs };
      const { watchRun, writeReport } = await import("../../index.js");
      const { signal } = interruption;
      if (!watch) {
        if (port !== undefined) throw watchOnly("--port is", "Give --watch too.");
        // A page that is being written is finished, or removed.
        await interruption.finishFirst();
        const given = { overwrite, stdin: process.stdin, signal };
        const { path, warnings } = await writeReport(settings, output, given);
        for (const warning of warnings) terminal.warn(warning);
        await terminal.out(`${path}\n`);
        return;
      }
      if (overwrite) throw watchOnly("--overwrite is not", "Leave one of them out.");
      if (output !== undefined) throw watchOnly("--output is not", "Leave one of them out.");
      if (runs.length > 1) throw watchOnly("Several runs are not", "Name one of them.");
      await watchRun(settings, {
        port: port ?? 0,
        signal,
        stdin: process.stdin,
        onAddress(address) {
          void terminal.out(`${address}\n`);
          terminal.say("Who has this address can read the page. Ctrl-C ends it.");
        },
        onWaiting: (message) => terminal.say(message),
        onWarning: terminal.warn,
      });
    });
}

function watchOnly(what: string, hint: string): CharnnError {
  return new CharnnError("INVALID_SETTING", `${what} for --watch.`, hint);
}
