import path from "node:path";
import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import type { Terminal } from "./terminal/terminal.js";

/** Warns of a model that may have learned nothing. */
export async function warnIfUntrained(
  { warn }: Pick<Terminal, "warn">,
  checkpoint: Pick<CheckpointFacts, "config" | "progress"> & { readonly path: string },
): Promise<void> {
  // Its loss is not known, but it was trained elsewhere.
  if (checkpoint.config.imported) return;
  const { untrainedWarning } = await import("../runs/newest-run.js");
  const name = path.basename(path.dirname(path.resolve(checkpoint.path)));
  const warning = untrainedWarning(name, checkpoint.progress);
  if (warning !== undefined) warn(warning);
}
