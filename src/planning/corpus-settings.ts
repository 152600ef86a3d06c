import { join } from "node:path";
import type { Clock } from "../clock.js";
import { pick } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { CorpusSettings } from "../data/corpus.js";
import type { ReadOptions } from "../data/sources.js";
import { CharnnError } from "../errors.js";
import type { RankZero } from "../ranks/rank-zero.js";
import type { Preparation } from "./preparation.js";
import type { TrialCommand } from "./step-trial.js";

/** What getting a run ready needs beside its settings. */
export interface PlanOptions extends ReadOptions {
  readonly clock: Clock;
  /** This process, which leads those that are to train. */
  readonly rankZero: RankZero<TrialCommand>;
  /** Called when a preparation begins, and before it takes its time. */
  readonly onPreparation?: ((doing: Preparation) => void) | undefined;
  /** Called now and then with the fraction of a long one that is done, from 0 to 1. */
  readonly onPreparing?: ((doing: "reading" | "counting", fraction: number) => void) | undefined;
}

/**
 * Which text a run learns from, and how it is divided.
 *
 * @throws CharnnError `INVALID_SETTING` for a running text, which has no lines to deal
 */
export function corpusSettings(settings: TrainSettings): CorpusSettings {
  const { documents, split, out = TRAIN_DEFAULTS.out, name } = settings;
  if (split === "random" && !documents) {
    throw new CharnnError(
      "INVALID_SETTING",
      "split random works only on separate lines, and this text is read as one continuous text.",
      "If each line is a text of its own, add `documents: lines`; else `crossValidate: 5` holds out each fifth of the text in turn.",
      { setting: "split" },
    );
  }
  return {
    leftOut: name === undefined ? [out] : [out, join(out, name)],
    ...pick(settings, ["files", "validationFile", "documents", "normalize", "fold", "minCount"]),
    // In a checkpoint it is true or left out.
    lowercase: settings.lowercase || undefined,
    split: split ?? (documents ? "random" : undefined),
    randomSeed: settings.randomSeed ?? TRAIN_DEFAULTS.randomSeed,
    validation: settings.validation ?? TRAIN_DEFAULTS.validation,
    test: settings.test ?? TRAIN_DEFAULTS.test,
    encoding: settings.encoding ?? TRAIN_DEFAULTS.encoding,
    invalid: settings.invalid ?? TRAIN_DEFAULTS.invalid,
    lineEnds: settings.lineEnds ?? (documents ? "lf" : "keep"),
  };
}
