import { agrees } from "./agrees.js";
import type { CommandContext } from "./context.js";

const NO_GPU =
  "TensorFlow runs on the CPU: it found no GPU that it can use, which takes NVIDIA's driver, and CUDA 12 " +
  "and cuDNN 9 in the folders of LD_LIBRARY_PATH.";

/**
 * Installs what the tensorflow backend needs, and says what it does.
 *
 * @returns false where the user says no
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
          `${inMegabytes(sizes.needed)} while it installs.`,
      );
      return yes ?? agrees(terminal, `doctor --install-tensorflow${gpu ? " --gpu" : ""}`, signal);
    },
    onStep: (what) => terminal.say(`${what} ...`),
  });
  if (!installed) {
    terminal.say("Nothing was installed.");
    return false;
  }
  const is = installed.wasInstalled ? "is installed already, and works" : "is installed";
  terminal.say(`TensorFlow ${installed.version} ${is}: ${installed.folder}`);
  if (gpu && installed.device === "CPU") terminal.say(NO_GPU);
  return true;
}
