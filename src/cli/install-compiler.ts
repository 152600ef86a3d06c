import { agrees } from "./agrees.js";
import type { CommandContext } from "./context.js";

/**
 * Gets a compiler, compiles the native backend with it, and shows the progress.
 *
 * @returns false where the user declines
 * @throws the reason of the interruption's signal
 */
export async function installCompiler(
  { terminal, interruption }: CommandContext,
  { yes }: { readonly yes?: boolean },
): Promise<boolean> {
  const { installCompiler: install, ZIG_SIZES } = await import("../setup/install-compiler.js");
  const { download, installed } = ZIG_SIZES;
  const { signal } = interruption;
  await interruption.finishFirst(() => terminal.say("Stopping; nothing is left of it."));
  const folder = await install({
    python: process.env.PYTHON,
    signal,
    mayDownload() {
      terminal.say(
        `The compiler, zig, is ${download / 1e6} MB to download and takes ${installed / 1e6} MB in ` +
          "charnn's data folder.",
      );
      return yes ?? agrees(terminal, "doctor --install-compiler", signal);
    },
    onStep: (what) => terminal.say(`${what} ...`),
  });
  terminal.say(folder ? `The native backend is compiled, by ${folder}` : "Nothing was installed.");
  return folder !== undefined;
}
