import * as v from "valibot";
import type { Inputs } from "../data/inputs.js";
import { CharnnError } from "../errors.js";
import { CELL_NAMES } from "./cells.js";
import {
  BATCHING_NAMES,
  INVALID_NAMES,
  LINE_END_NAMES,
  OPTIMIZER_NAMES,
  PRESET_NAMES,
  SCHEDULE_NAMES,
  SPLIT_NAMES,
} from "./defaults.js";
import { LARGEST_SIZE, MOST_LAYERS } from "./model.js";
import { foldSchema, MOST_EPOCHS, MOST_STEPS } from "./run.js";
import {
  backendSettings,
  checked,
  numberAboveZero,
  numberFromZero,
  oneOf,
  wholeNumber,
} from "./schema.js";

export const trainSettingsSchema = v.strictObject({
  /** Files and folders; `-` is standard input. */
  files: v.pipe(v.array(v.string()), v.minLength(1, "must be at least one file")),
  /** A text to validate on, in place of a part of `files`. */
  validationFile: v.optional(v.string()),
  /** Shares of the text that are held out. */
  validation: v.optional(numberFromZero(1)),
  test: v.optional(numberFromZero(1)),
  /** Of so many equal parts of the text the one to validate on, from 1; in place of `validation`. */
  fold: v.optional(foldSchema),
  /** `lines`: every line is a text of its own. */
  documents: v.optional(v.literal("lines")),
  /** How the parts are chosen: `random` deals lines to them, which is the default for `documents`. */
  split: v.optional(oneOf(SPLIT_NAMES)),
  /** Characters that occur less often in the training part become one unknown character. */
  minCount: v.optional(wholeNumber(1)),
  encoding: v.optional(v.string()),
  /** What to do with bytes that are wrong in it. */
  invalid: v.optional(oneOf(INVALID_NAMES)),
  /** Whether line ends stay as they are; `lf`, all read as newlines, when left out with `documents`. */
  lineEnds: v.optional(oneOf(LINE_END_NAMES)),

  /** Decides what else is left out; chosen by the text and the time when left out itself. */
  preset: v.optional(oneOf(PRESET_NAMES)),
  cell: v.optional(oneOf(CELL_NAMES)),
  layers: v.optional(wholeNumber(1, MOST_LAYERS)),
  hiddenSize: v.optional(wholeNumber(1, LARGEST_SIZE)),
  embeddingSize: v.optional(wholeNumber(0, LARGEST_SIZE)),
  /** Shares that are dropped in training: see `DropoutRates`. */
  dropout: v.optional(numberFromZero(1)),
  inputDropout: v.optional(numberFromZero(1)),
  recurrentDropout: v.optional(numberFromZero(1)),
  weightDropout: v.optional(numberFromZero(1)),

  batching: v.optional(oneOf(BATCHING_NAMES)),
  batchSize: v.optional(wholeNumber(1, LARGEST_SIZE)),
  seqLength: v.optional(wholeNumber(1, LARGEST_SIZE)),
  /** Characters between the starts of two windows; the sequence length when left out. */
  stride: v.optional(wholeNumber(1)),

  epochs: v.optional(wholeNumber(1, MOST_EPOCHS)),
  steps: v.optional(wholeNumber(1, MOST_STEPS)),
  /** Seconds, from the beginning of `TrainOptions.clock` to the end of the run. */
  maxTime: v.optional(numberAboveZero()),
  /**
   * Changes the number of steps during the run, as a run with `maxTime` does when it measures its speed
   * again: from `step` on there are `steps` in all, and the learning rate continues from where it is.
   */
  replan: v.optional(
    v.array(v.strictObject({ step: wholeNumber(0), steps: wholeNumber(1, MOST_STEPS) })),
  ),
  /** Evaluations in a row without a lower validation loss; 0 is any number. */
  patience: v.optional(wholeNumber(0)),
  /** Nats/character; 0 is none. */
  targetLoss: v.optional(numberFromZero()),

  optimizer: v.optional(oneOf(OPTIMIZER_NAMES)),
  learningRate: v.optional(numberAboveZero()),
  schedule: v.optional(oneOf(SCHEDULE_NAMES)),
  warmupSteps: v.optional(wholeNumber(0)),
  /** 0: gradients are not clipped. */
  clipNorm: v.optional(numberFromZero()),
  clipValue: v.optional(numberFromZero()),
  /** Batches whose gradients make one step. */
  accumulate: v.optional(wholeNumber(1)),
  weightDecay: v.optional(numberFromZero()),
  /** The share of the weights' running average that stays at each step; 0: there is none. */
  averageDecay: v.optional(numberFromZero(1)),

  /** Steps between two evaluations; there is one at the end of each epoch too. */
  evalEvery: v.optional(wholeNumber(1)),
  /**
   * About how many characters of the held-out part an evaluation scores, always the same ones, from all
   * over it; all when left out, or with `maxTime` what there is time for.
   */
  evalCharacters: v.optional(wholeNumber(1)),
  /** Steps between two checkpoints; there is one at each evaluation, and every five minutes, too. */
  saveEvery: v.optional(wholeNumber(1)),
  /** How many checkpoints `step-N.safetensors` stay. */
  keep: v.optional(wholeNumber(0)),
  /** The run's name; made from the text and the model when left out. */
  name: v.optional(v.string()),
  /** The folder in which runs have theirs. */
  out: v.optional(v.string()),
  /** A checkpoint whose weights to begin with: a file, a run's folder, or a run's name in `out`. */
  initFrom: v.optional(v.string()),
  resume: v.optional(v.boolean()),
  overwrite: v.optional(v.boolean()),
  randomSeed: v.optional(wholeNumber(0)),
  /** Whether to keep what the run reports for TensorBoard too. */
  tensorboard: v.optional(v.boolean()),
  ...backendSettings,
});

/** Seconds since a run began; it never goes back. */
export type Clock = () => number;

export interface TrainOptions {
  /**
   * Aborted: the run is saved as it was after its last whole step, and the last event is `end`. Before
   * the first step nothing is kept, and the reason of the signal is thrown.
   */
  readonly signal?: AbortSignal | undefined;
  /** What the file `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** In its place where several calls read the same. */
  readonly inputs?: Inputs | undefined;
  /** The time that counts for `maxTime`, and in events; the time since the call when left out. */
  readonly clock?: Clock | undefined;
}

/** The time since this call. */
export function startClock(): Clock {
  const start = performance.now();
  return () => (performance.now() - start) / 1e3;
}

/** What to train on and how; whatever is left out is decided by the preset, or has
 * the default of {@link TRAIN_DEFAULTS}. */
export type TrainSettings = v.InferInput<typeof trainSettingsSchema>;

/**
 * @throws CharnnError `INVALID_SETTING` that names the setting at fault.
 */
export function checkedTrainSettings(settings: TrainSettings): TrainSettings {
  const valid = checked(trainSettingsSchema, settings);
  const { replan, steps, epochs, maxTime } = valid;
  if (replan && (steps === undefined || epochs !== undefined || maxTime !== undefined)) {
    throw new CharnnError(
      "INVALID_SETTING",
      "replan changes a number of steps: it goes with --steps alone, without --epochs and --max-time.",
      "Give it as the line at the end of the run that is to be repeated has it.",
      { setting: "replan" },
    );
  }
  for (const [k, { step, steps: after }] of (replan ?? []).entries()) {
    const { step: last = -1, steps: before = steps as number } = replan?.[k - 1] ?? {};
    if (step > last && step < before && step <= after) continue;
    throw new CharnnError(
      "INVALID_SETTING",
      `replan is at step ${step}, where the number of steps can't become ${after}.`,
      "Each change is later than the one before it, and before the end of the run: with --steps 4000, --replan 120:3500 changes the number at step 120.",
      { setting: "replan" },
    );
  }
  return valid;
}
