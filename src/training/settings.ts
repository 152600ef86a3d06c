import type { Clock } from "../clock.js";
import { checked, settingsSchema } from "../config/schema.js";
import { TRAIN } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Inputs } from "../data/inputs.js";
import { CharnnError } from "../errors.js";
import type { Preparation } from "../planning/preparation.js";
import type { Ranks } from "../ranks/ranks.js";

const trainSettingsSchema = settingsSchema<TrainSettings>(TRAIN, ["files"]);

export interface TrainOptions {
  /**
   * Aborted: the run is saved as it was after its last whole step, and the last event is `end`. Before
   * the first step nothing is kept, and the reason of the signal is thrown.
   */
  readonly signal?: AbortSignal | undefined;
  /** What the file `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** Used in place of `stdin` where several calls read the same. */
  readonly inputs?: Inputs | undefined;
  /** Called before each part of the preparation for the first step, which may take a while. */
  readonly onPreparation?: ((doing: Preparation) => void) | undefined;
  /** The time that counts for `maxTime`, and in events; the time since the call when left out. */
  readonly clock?: Clock | undefined;
}

export interface TogetherOptions extends TrainOptions {
  /** The processes that train together, of which this is rank 0; this one alone when left out. */
  readonly ranks?: Ranks | undefined;
}

/**
 * @throws CharnnError `INVALID_SETTING` that names the setting at fault.
 */
export function checkedTrainSettings(settings: TrainSettings): TrainSettings {
  const valid = checked(trainSettingsSchema, settings);
  refuseContradictions(valid);
  const { replan, steps, epochs, maxTime } = valid;
  if (replan && (steps === undefined || epochs !== undefined || maxTime !== undefined)) {
    throw new CharnnError(
      "INVALID_SETTING",
      "replan changes a number of steps: it goes with `steps` alone, without `epochs` and `maxTime`.",
      "Copy it from the line at the end of the original run's output that says how to repeat that run.",
      { setting: "replan" },
    );
  }
  for (const [k, { step, steps: after }] of (replan ?? []).entries()) {
    const { step: last = -1, steps: before = steps as number } = replan?.[k - 1] ?? {};
    if (step > last && step < before && step <= after) continue;
    throw new CharnnError(
      "INVALID_SETTING",
      `replan is at step ${step}, where the number of steps can't become ${after}.`,
      "Each change is later than the one before it, and before the end of the run: with `steps: 4000`, `replan: 120:3500` changes the number at step 120.",
      { setting: "replan" },
    );
  }
  return valid;
}

function refuseContradictions({ resume, overwrite, initFrom, fold }: TrainSettings): void {
  if (!resume) return;
  if (overwrite) {
    throw new CharnnError(
      "INVALID_SETTING",
      "`resume` and `overwrite` can't be combined.",
      "Leave one of them out.",
    );
  }
  // In a cross-validation some folds go on while others are still to begin.
  if (initFrom !== undefined && fold === undefined) {
    throw new CharnnError(
      "INVALID_SETTING",
      "`resume` and `initFrom` can't be combined.",
      "Leave one of them out.",
    );
  }
}
