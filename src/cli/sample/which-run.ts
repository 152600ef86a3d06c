import { relative } from "node:path";
import type { CheckpointFacts } from "../../checkpoint/checkpoint.js";
import { bitsPerCharacter } from "../../text.js";
import { modelsName } from "../format/summary.js";
import type { Terminal } from "../terminal/terminal.js";

/**
 * Says on a terminal which models write, and how to have the same text again.
 *
 * @param drawnSeed the random seed where nobody gave one
 */
export function sayWhichRun(
  checkpoints: readonly (CheckpointFacts & { readonly path: string })[],
  terminal: Terminal,
  drawnSeed: number | undefined,
): void {
  if (!terminal.stderr.isTTY) return;
  const models = checkpoints.map(({ path, config, progress: { bestLoss } }) => {
    const loss =
      bestLoss === undefined ? "" : `, ${bitsPerCharacter(bestLoss).toFixed(2)} bits per character`;
    return `${relative("", path)} (${modelsName(config)}${loss})`;
  });
  const again = drawnSeed === undefined ? "" : `; the same text again: --random-seed ${drawnSeed}`;
  terminal.say(`Writing with ${models.join(" and ")}${again}`);
}
