import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { REPORT, type ReportCommandSettings, type ReportSettings } from "../../config/report.js";
import { CharnnError } from "../../errors.js";
import type { OnWork } from "../../report/view-text.js";
import type { CommandContext } from "../context.js";
import { openInBrowser } from "../open-in-browser.js";
import { addOptions } from "../options/add-options.js";
import { isStandardOutput } from "../standard-output.js";
import { createStatus } from "../terminal/status.js";
import type { Terminal } from "../terminal/terminal.js";

/** What can be typed beside the operands. */
type ReportOptions = Omit<ReportCommandSettings, "runs">;

const WORK: Readonly<Record<Parameters<OnWork>[0], string>> = {
  text: "Reading the text",
  model: "Reading it with the model",
  units: "Looking at its units",
  vocabulary: "Comparing the characters' vectors",
};

export function reportCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("report")
    .summary("Write a page with curves")
    .description("Write a page about runs: curves, samples, and what the model sees in a text.")
    .argument("[runs...]", "names or folders of runs; the newest run when left out");
  addOptions(command, REPORT, [
    "charnn report --open",
    "charnn report night --text book.txt",
    "charnn report night day --output both.html",
    "charnn report night --watch --open",
  ]).action(async (runs: string[], options: ReportOptions) => {
    const { output, overwrite, open, watch, port, json, ...given } = options;
    const settings = { ...given, runs };
    const { watchRun } = await import("../../report/watch/watch-run.js");
    const { writeReport } = await import("../../report/write-report.js");
    const { signal } = interruption;
    if (!watch) {
      if (port !== undefined) throw watchOnly("--port is", "Give --watch too.");
      const toStdout = isStandardOutput(output, json, terminal);
      if (toStdout && open) throw stdoutWithOpen();
      // A page that is being written is finished, or removed.
      await interruption.finishFirst();
      if (toStdout) return writeToStdout(context, settings);
      const { path, warnings } = await whileShowingWork(context, (onWork) => {
        const given = { overwrite, stdin: process.stdin, signal, onWork };
        return writeReport(settings, output, given);
      });
      for (const warning of warnings) terminal.warn(warning);
      await terminal.out(json ? `${JSON.stringify({ path, warnings })}\n` : `${path}\n`);
      if (open) await show(pathToFileURL(path).href, "Open the file in one", terminal);
      return;
    }
    if (overwrite) throw watchOnly("--overwrite is not", "Leave one of them out.");
    if (output !== undefined) throw watchOnly("--output is not", "Leave one of them out.");
    if (runs.length > 1) throw watchOnly("Several runs are not", "Name one of them.");
    await whileShowingWork(context, (onWork, stopShowing) =>
      watchRun(settings, {
        port: port ?? 0,
        signal,
        stdin: process.stdin,
        onAddress(address, forOnce) {
          stopShowing();
          void terminal.out(json ? `${JSON.stringify({ address })}\n` : `${address}\n`);
          terminal.say("Anyone with this address can read the page. Ctrl-C stops the server.");
          if (open) void show(forOnce, "Open the address in one", terminal);
        },
        onWaiting(message) {
          stopShowing();
          terminal.say(message);
        },
        onWarning: terminal.warn,
        onWork,
      }),
    );
  });
}

/** Writes the page where a program reads it. */
async function writeToStdout(context: CommandContext, settings: ReportSettings): Promise<void> {
  const { terminal, interruption } = context;
  const { makeReport } = await import("../../report/report.js");
  const { reportPage } = await import("../../report/page/page.js");
  const report = await whileShowingWork(context, (onWork) =>
    makeReport(settings, { stdin: process.stdin, signal: interruption.signal, onWork }),
  );
  for (const warning of report.warnings) terminal.warn(warning);
  await terminal.out(reportPage(report));
}

/** Shows in a terminal what is being done, until that is over or the line must not be there. */
async function whileShowingWork<Result>(
  context: CommandContext,
  work: (onWork: OnWork, stopShowing: () => void) => Promise<Result>,
): Promise<Result> {
  const status = createStatus(context);
  let isOver = false;
  const stop = () => {
    if (!isOver) status.stop();
    isOver = true;
  };
  status.show("Reading the run");
  try {
    return await work((what) => {
      if (!isOver) status.show(WORK[what]);
    }, stop);
  } finally {
    stop();
  }
}

/** Opens an address in the browser, or says why not, which is no failure of the command. */
async function show(address: string, otherWay: string, terminal: Terminal): Promise<void> {
  const problem = await openInBrowser(address);
  if (problem !== undefined) terminal.warn(`${problem} ${otherWay}.`);
}

function stdoutWithOpen(): CharnnError {
  return new CharnnError(
    "INVALID_SETTING",
    "--open shows a file, and standard output is none.",
    "Leave out --open, or choose a file with --output.",
  );
}

function watchOnly(what: string, hint: string): CharnnError {
  return new CharnnError("INVALID_SETTING", `${what} for --watch.`, hint);
}
