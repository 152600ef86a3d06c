import path from "node:path";
import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import type { Terminal } from "./terminal/terminal.js";

/** Warns of a model that may have learned nothing. */
export async function warnIfUntrained(
  { warn }: Pick<Terminal, "warn">,
  checkpoint: Pick<CheckpointFacts, "progress"> & { readonly path: string },
): Promise<void> {
  const { untrainedWarning } = await import("../runs/newest-run.js");
  const name = path.basename(path.dirname(path.resolve(checkpoint.path)));
  const warning = untrainedWarning(name, checkpoint.progress);
  if (warning !== undefined) warn(warning);
}
