import { createInterface } from "node:readline/promises";
import { CharnnError } from "../errors.js";
import type { CommandContext } from "./context.js";
import type { Terminal } from "./terminal/terminal.js";

const NO_GPU =
  "It computes on the processor: it finds no graphics processor, or not what it needs for one, " +
  "which is NVIDIA's driver, CUDA 12 and cuDNN 9 in the folders of LD_LIBRARY_PATH.";

/**
 * Installs what the tensorflow backend needs, and tells how it goes.
 *
 * @returns false where the user would rather not
 * @throws the reason of the interruption's signal
 */
export async function installTensorFlow(
  { terminal, interruption }: CommandContext,
  { yes, gpu }: { readonly yes?: boolean; readonly gpu?: boolean },
): Promise<boolean> {
  const { TENSORFLOW_SIZES } = await import("../setup/tools.js");
  const { installTensorFlow: install } = await import("../setup/install-tensorflow.js");
  const build = gpu ? "gpu" : "cpu";
  const sizes = TENSORFLOW_SIZES[build];
  const inMegabytes = (bytes: number) => `${bytes / 1e6} MB`;
  const { signal } = interruption;
  await interruption.finishFirst(() => terminal.say("Stopping; nothing is left of it."));
  const installed = await install({
    build,
    python: process.env.PYTHON,
    compiler: process.env.CXX,
    signal,
    mayDownload() {
      terminal.say(
        `TensorFlow is ${inMegabytes(sizes.download)} to download and takes ` +
          `${inMegabytes(sizes.installed)} in charnn's data folder, ` +
          `${inMegabytes(sizes.needed)} until it is there.`,
      );
      return yes ?? agrees(terminal, gpu, signal);
    },
    onStep: (what) => terminal.say(`${what} ...`),
  });
  if (!installed) {
    terminal.say("Nothing was installed.");
    return false;
  }
  const is = installed.wasInstalled ? "was there before, and works" : "is installed";
  terminal.say(`TensorFlow ${installed.version} ${is}: ${installed.folder}`);
  if (gpu && installed.device === "CPU") terminal.say(NO_GPU);
  return true;
}

async function agrees(
  terminal: Terminal,
  gpu: boolean | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (!process.stdin.isTTY || !terminal.isInteractive) {
    throw new CharnnError(
      "INVALID_SETTING",
      "There is no terminal to ask on.",
      `Where nobody is asked, say so: charnn doctor --install-tensorflow${gpu ? " --gpu" : ""} --yes`,
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
