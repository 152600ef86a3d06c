import path from "node:path";
import type { Command } from "commander";
import { CharnnError, shortened } from "../../errors.js";
import { quoted } from "../../shell-words.js";
import type { Shell } from "../completion/shell-script.js";
import type { CommandContext } from "../context.js";
import { invocation } from "../invocation.js";
import { addOptions } from "../options/add-options.js";

const SHELLS: readonly Shell[] = ["bash", "zsh", "fish", "powershell"];
/** What the scripts of shells take from the last line of an answer. */
const NO_FILES = 4;

export function completeCommand(program: Command, { terminal }: CommandContext): void {
  const command = program
    .command("complete")
    .summary("Complete in a shell")
    .description(
      "Print a script by which a shell completes commands, options, their values and names of runs.",
    )
    .argument("<shell>", SHELLS.join(", "))
    // The scripts ask by `charnn complete -- WORDS`.
    .allowExcessArguments();
  addOptions(command, {}, [
    "source <(charnn complete bash)",
    "source <(charnn complete zsh)",
    "charnn complete fish | source",
    "charnn complete powershell | Out-String | Invoke-Expression",
  ]).action(async (shell: string, _options: object, { args, parent }: Command) => {
    const raw = (parent as Command & { readonly rawArgs: readonly string[] }).rawArgs;
    if (raw[raw.indexOf("complete") + 1] === "--") {
      const { suggest } = await import("../completion/suggest.js");
      const { values, files } = await suggest(program, args);
      for (const { value, description } of values) await terminal.out(`${value}\t${description}\n`);
      await terminal.out(`:${files ? 0 : NO_FILES}\n`);
      return;
    }
    const known = SHELLS.find((name) => name === shell.toLowerCase());
    if (known === undefined || args.length > 1) {
      const message = `There are no completions for ${JSON.stringify(shortened(args.join(" ")))}.`;
      throw new CharnnError("INVALID_SETTING", message, `Name one of ${SHELLS.join(", ")}.`);
    }
    const { shellScript } = await import("../completion/shell-script.js");
    await terminal.out(shellScript(known, executable()));
  });
}

/** What calls charnn, from any folder. */
function executable(): string {
  const [node, script = "charnn"] = process.argv;
  const isInstalled = invocation() === "charnn";
  return isInstalled ? "charnn" : [node, path.resolve(script)].map(quoted).join(" ");
}
