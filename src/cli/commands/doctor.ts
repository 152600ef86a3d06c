import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { CharnnError } from "../../errors.js";
import type { BackendDiagnosis, Diagnosis } from "../../index.js";
import { CELLS } from "../../model/cells.js";
import { jsonOption } from "../options/model-options.js";
import { columns, count, counted } from "../terminal/format.js";
import { abortAtSignals } from "../terminal/signals.js";
import type { Terminal } from "../terminal/terminal.js";
import type { CommandContext } from "./context.js";

export function doctorCommand(program: Command, context: CommandContext): void {
  const { terminal, version } = context;
  program
    .command("doctor")
    .description("Show what charnn computes with on this machine, how fast, and what is missing.")
    .option("--install-tensorflow", "get what the tensorflow backend needs, from npm and PyPI")
    .option("-y, --yes", "do so without asking")
    .addOption(jsonOption("one object"))
    .addHelpText(
      "after",
      `
Examples:
  charnn doctor
  charnn doctor --json
  charnn doctor --install-tensorflow`,
    )
    .action(async (options: { json?: true; installTensorflow?: true; yes?: true }) => {
      const { json, installTensorflow, yes } = options;
      if (installTensorflow && !(await install(context, yes))) return;
      const { diagnose } = await import("../../index.js");
      const diagnosis = await diagnose();
      const text = json
        ? JSON.stringify({ version, ...diagnosis })
        : table(version, diagnosis, terminal.outWidth);
      await terminal.out(`${text}\n`);
    });
}

/** @returns false where the user would rather not, or has interrupted it */
async function install(
  { terminal, exitWith }: CommandContext,
  yes: true | undefined,
): Promise<boolean> {
  const { TENSORFLOW_SIZES: sizes, installTensorFlow } = await import("../../index.js");
  const inMegabytes = (bytes: number) => `${bytes / 1e6} MB`;
  const interruption = abortAtSignals(() => terminal.say("Stopping; nothing is left of it."));
  const { signal } = interruption;
  try {
    const installed = await installTensorFlow({
      python: process.env.PYTHON,
      compiler: process.env.CXX,
      signal,
      mayDownload() {
        terminal.say(
          `TensorFlow is ${inMegabytes(sizes.download)} to download and takes ` +
            `${inMegabytes(sizes.installed)} in charnn's data folder, ` +
            `${inMegabytes(sizes.needed)} until it is there.`,
        );
        return yes ?? agrees(terminal, signal);
      },
      onStep: (what) => terminal.say(`${what} ...`),
    });
    if (!installed) {
      terminal.say("Nothing was installed.");
      return false;
    }
    const is = installed.wasThere ? "was there before, and works" : "is installed";
    terminal.say(`TensorFlow ${installed.version} ${is}: ${installed.folder}`);
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    exitWith(interruption.exitCode);
    return false;
  } finally {
    interruption.release();
  }
}

async function agrees(terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !terminal.isInteractive) {
    throw new CharnnError(
      "INVALID_SETTING",
      "There is no terminal to ask on.",
      "Where nobody is asked, say so: charnn doctor --install-tensorflow --yes",
    );
  }
  const questions = createInterface({ input: process.stdin, output: terminal.stderr });
  // A terminal that is read line by line gives Ctrl-C to its reader.
  questions.on("SIGINT", () => {
    terminal.say();
    process.kill(process.pid, "SIGINT");
  });
  try {
    const answer = await questions.question("Go on? [y/N] ", { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    signal.throwIfAborted();
    // The end of what is typed, Ctrl-D, is no answer.
    terminal.say();
    return false;
  } finally {
    questions.close();
  }
}

function table(version: string, diagnosis: Diagnosis, width: number | undefined): string {
  const { node, platform, architecture, processor = "unknown", cores, backends } = diagnosis;
  const { auto, model, batchSize, seqLength } = diagnosis;
  const rows = [
    ["charnn", version],
    ["Node.js", node.replace(/^v/, "")],
    ["platform", `${platform} ${architecture}`],
    ["processor", `${processor}, ${counted(cores, "core")}`],
    ...backends.map((backend) => [backend.name, backendLine(backend)]),
    ["auto", `takes ${auto}`],
    [
      "measured",
      `training a ${CELLS[model.cell].title} of ${counted(model.layers, "layer")} of ` +
        `${model.hiddenSize}, ${batchSize} windows of ${seqLength} characters; more: charnn bench`,
    ],
  ];
  return columns(rows, width).join("\n");
}

function backendLine(backend: BackendDiagnosis): string {
  if (!backend.loads) {
    return [`does not load: ${backend.why}.`, backend.cure].filter(Boolean).join(" ");
  }
  const { threads, instructionSet, instructionSets = [], version } = backend;
  const facts = [
    `${count(backend.trainCharsPerSecond)} chars/s`,
    `${backend.trainGflops.toFixed(1)} GFLOP/s`,
    counted(threads, "thread"),
  ];
  if (instructionSet) facts.push(`${instructionSet} (of ${instructionSets.join(", ")})`);
  if (version) facts.push(`TensorFlow ${version}`);
  return `loads: ${facts.join(", ")}`;
}
