import type { Command } from "commander";
import { REPORT, type ReportCommandSettings } from "../../config/report.js";
import { CharnnError } from "../../errors.js";
import type { CommandContext } from "../context.js";
import { addOptions } from "../options/add-options.js";

/** What can be typed beside the operands. */
type ReportOptions = Omit<ReportCommandSettings, "runs">;

export function reportCommand(program: Command, { terminal, interruption }: CommandContext): void {
  const command = program
    .command("report")
    .summary("Write a page with curves")
    .description("Write a page about runs: curves, samples, and what the model sees in a text.")
    .argument("[runs...]", "names or folders of runs; the one that reported last when left out");
  addOptions(command, REPORT, [
    "charnn report",
    "charnn report night --text book.txt",
    "charnn report night day --output both.html",
    "charnn report night --watch",
  ]).action(async (runs: string[], options: ReportOptions) => {
    const { output, overwrite, watch, port, ...given } = options;
    const settings = { ...given, runs };
    const { watchRun } = await import("../../report/watch/watch-run.js");
    const { writeReport } = await import("../../report/write-report.js");
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
