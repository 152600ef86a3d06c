import * as v from "valibot";
import { startClock } from "../clock.js";
import { checked, schemaOf } from "../config/schema.js";
import { TRAIN } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { Inputs } from "../data/inputs.js";
import { CharnnError } from "../errors.js";
import { foldName, refuseUnsafeName } from "../runs/run-name.js";
import type { CrossValidationEvent, EndEvent, TrainingEvent } from "./events.js";
import { checkedTrainSettings, type TogetherOptions, type TrainOptions } from "./settings.js";
import { trainTogether } from "./trainer.js";

const foldsSchema = v.object({ crossValidate: schemaOf(TRAIN.crossValidate.kind) });

/**
 * Trains a model on each of `folds` divisions of a text, with another part held out each time, and scores it on
 * that part. This shows how much a result depends on where the text was cut. `maxTime` is for all of them: each
 * gets an equal share of it.
 *
 * @returns the events of one run after the other, each named after its fold, and `cross-validation`
 *   at the end, unless it was interrupted
 * @throws CharnnError as {@link trainTogether} does
 */
export function crossValidate(
  settings: TrainSettings,
  folds: number,
  options: TrainOptions = {},
): AsyncGenerator<TrainingEvent, void> {
  return crossValidateTogether(settings, folds, options);
}

/** The same in all ranks: this is rank 0, and the others follow. */
export async function* crossValidateTogether(
  settings: TrainSettings,
  folds: number,
  options: TogetherOptions = {},
): AsyncGenerator<TrainingEvent, void> {
  checked(foldsSchema, { crossValidate: folds });
  const { name, resume, validation, validationFile } = checkedTrainSettings(settings);
  if (validation !== undefined || validationFile !== undefined) {
    const setting = validation === undefined ? "validationFile" : "validation";
    throw new CharnnError(
      "INVALID_SETTING",
      `${setting} has no meaning in cross-validation: each fold holds out its own part.`,
      "Leave it out.",
      { setting },
    );
  }
  if (resume && name === undefined) {
    throw new CharnnError(
      "INVALID_SETTING",
      "A cross-validation can be resumed only by its name.",
      "Add `name`, with the name it was started with.",
      { setting: "name" },
    );
  }
  // Each fold reads all of it.
  const inputs = options.inputs ?? new Inputs(options.stdin);
  // Not after hours, at the first fold of two digits.
  if (name !== undefined && !resume) refuseUnsafeName(foldName(name, folds));
  const { clock = startClock() } = options;
  const maxTime = settings.maxTime && settings.maxTime / folds;
  const losses: number[] = [];
  let common = name;
  for (let index = 1; index <= folds; index++) {
    const fold = { index, of: folds };
    const ofFold = common === undefined ? {} : { name: foldName(common, index) };
    let end: EndEvent | undefined;
    const start = index === 1 ? 0 : clock();
    const timed = { ...options, inputs, clock: () => clock() - start };
    for await (const event of trainTogether({ ...settings, ...ofFold, fold, maxTime }, timed)) {
      if (event.event === "start") common ??= event.name.slice(0, -foldName("", index).length);
      if (event.event === "end") end = event;
      yield event;
    }
    if (end?.reason === "interrupted") return;
    losses.push(end?.wholeLoss ?? end?.bestLoss ?? Number.NaN);
  }
  yield summaryOf(losses);
}

/** The mean of the folds' losses, and their standard deviation. */
function summaryOf(losses: readonly number[]): CrossValidationEvent {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const squares = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (losses.length - 1));
  return { event: "cross-validation", losses, mean, deviation };
}
