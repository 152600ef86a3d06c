import type { SampleEvent } from "../../training/events.js";
import type { TrainOptions } from "../commands/train.js";
import { brokenLines } from "../format/format.js";
import type { FollowedRun } from "./followed-run.js";

/** A sample is shown when the loss is lower than at the last one shown by this fraction. */
const DROP = 0.05;
const INDENT = "    ";
const BETWEEN_DOCUMENTS = "   ";

/** Chooses the samples of a run that are shown, and lays them out. */
export class ShownSamples {
  #lossAtLast = Number.POSITIVE_INFINITY;

  constructor(readonly options: Pick<TrainOptions, "samples" | "sampleEvery">) {}

  /** Whether a sample follows the evaluation and is shown because the loss has dropped enough. */
  isNextShown(run: FollowedRun): boolean {
    const { samples = true, sampleEvery } = this.options;
    return samples && sampleEvery === undefined && this.#hasDropped(run);
  }

  /** The lines of a sample; none where it is not to be shown. */
  lines({ text }: SampleEvent, run: FollowedRun, width: number): string[] {
    // Those that somebody has asked for are all shown.
    if (this.options.sampleEvery === undefined && !this.#hasDropped(run)) return [];
    this.#lossAtLast = lossOf(run);
    const lines =
      run.started?.config.text.documents === "lines"
        ? documentLines(text.split("\n"), width - INDENT.length)
        : text.trim().split("\n");
    return lines.flatMap((line) =>
      brokenLines(line, width - INDENT.length).map((part) => `${INDENT}${part}`),
    );
  }

  #hasDropped(run: FollowedRun): boolean {
    return lossOf(run) <= (1 - DROP) * this.#lossAtLast;
  }
}

function lossOf({ heldOut, latest }: FollowedRun): number {
  return heldOut.at(-1) ?? latest?.loss ?? Number.NaN;
}

/** Short documents side by side, as many as fit a line. */
function documentLines(documents: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const document of documents) {
    const longer = `${lines.at(-1)}${BETWEEN_DOCUMENTS}${document}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(document);
  }
  return lines;
}
