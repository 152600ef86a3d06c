import * as v from "valibot";
import {
  BATCHING_NAMES,
  LINE_END_NAMES,
  OPTIMIZER_NAMES,
  PRESET_NAMES,
  SCHEDULE_NAMES,
  SPLIT_NAMES,
} from "./defaults.js";
import { LARGEST_SIZE, modelConfigSchema } from "./model.js";
import { numberAboveZero, numberFromZero, oneOf, wholeNumber } from "./schema.js";

/** Far more steps than any run takes, and few enough to be counted on from there. */
export const MOST_STEPS = 1e15;
export const MOST_EPOCHS = 100_000;
/** Steps in a row that change nothing, after which a run goes back, and how often it does. */
export const MOST_BAD_STEPS = 5;
export const MOST_ROLLBACKS = 3;
/** Sums of losses stay finite. */
const LARGEST_SUM = 1e300;

const count = () => wholeNumber(0, MOST_STEPS);
const countFromOne = () => wholeNumber(1, MOST_STEPS);

/** A list, also where a checkpoint from when there could only be one item has that item alone. */
function oneOrMore<Item extends v.GenericSchema<object>>(item: Item) {
  return v.union([
    v.array(item),
    v.pipe(
      item,
      v.transform((only) => [only]),
    ),
  ]);
}

/** A part of a text that is divided into equal ones. */
export const foldSchema = v.pipe(
  v.strictObject({ index: wholeNumber(1), of: wholeNumber(2, 100) }),
  v.check(({ index, of }) => index <= of, "must be one of the parts"),
);

/** Which text a run learns from, and how it was divided. */
const textConfigSchema = v.strictObject({
  fingerprint: v.string(),
  characters: wholeNumber(0),
  trainCharacters: wholeNumber(0),
  validationCharacters: wholeNumber(0),
  testCharacters: wholeNumber(0),
  documents: v.optional(v.literal("lines")),
  /** Whether line ends stayed as they were, as they do where it is missing. */
  lineEnds: v.optional(oneOf(LINE_END_NAMES)),
  /** How well counting strings of up to `order` characters predicts the validation part. */
  counting: v.optional(v.strictObject({ order: wholeNumber(1), loss: numberFromZero() })),
});

/** How a run goes: everything that decides what its weights become, but for the text itself. */
const trainingConfigSchema = v.strictObject({
  /** Which decided what was not asked for. */
  preset: oneOf(PRESET_NAMES),
  validation: numberFromZero(1),
  /** Of so many equal parts of the text the one that is validated on. */
  fold: v.optional(foldSchema),
  test: numberFromZero(1),
  /** How the text is divided; sequentially when left out, as all texts once were. */
  split: v.optional(oneOf(SPLIT_NAMES)),
  /** Characters that occur less often in the training part are one unknown character. */
  minCount: v.optional(wholeNumber(1)),
  batching: oneOf(BATCHING_NAMES),
  batchSize: wholeNumber(1, LARGEST_SIZE),
  seqLength: wholeNumber(1, LARGEST_SIZE),
  stride: wholeNumber(1),
  /** Shares that are dropped: see `DropoutRates`. */
  dropout: numberFromZero(1),
  inputDropout: numberFromZero(1),
  recurrentDropout: numberFromZero(1),
  weightDropout: numberFromZero(1),
  optimizer: oneOf(OPTIMIZER_NAMES),
  learningRate: numberAboveZero(),
  schedule: oneOf(SCHEDULE_NAMES),
  warmupSteps: wholeNumber(0),
  /** 0: gradients are not clipped. */
  clipNorm: numberFromZero(),
  clipValue: numberFromZero(),
  /** Batches whose gradients make one step. */
  accumulate: wholeNumber(1),
  weightDecay: numberFromZero(),
  /** The share of the weights' running average that stays at each step; 0: there is none. */
  averageDecay: numberFromZero(1),
  evalEvery: wholeNumber(1),
  /** About how many characters of the held-out part an evaluation scores; all when left out. */
  evalCharacters: v.optional(wholeNumber(1)),
  randomSeed: wholeNumber(0),
});

/** When a run ends: whichever comes first. */
const limitsSchema = v.pipe(
  // An empty list would be an object that lacks nothing.
  v.custom<object>((value) => !Array.isArray(value), "must be an object"),
  v.strictObject({
    epochs: v.optional(wholeNumber(1, MOST_EPOCHS)),
    steps: v.optional(countFromOne()),
    /** Seconds. */
    maxTime: v.optional(numberAboveZero()),
    /** Changes of the number of steps, in order: at `step` it became `steps`. */
    replan: v.optional(oneOrMore(v.strictObject({ step: count(), steps: countFromOne() }))),
    /** Evaluations in a row that bring no lower validation loss. */
    patience: v.optional(wholeNumber(1)),
    /** A validation loss that is low enough, nats/character. */
    targetLoss: v.optional(numberAboveZero()),
  }),
  v.check(
    ({ replan, ...ends }) => Object.values(ends).some((end) => end !== undefined),
    "must be one limit at least",
  ),
);

/** What a checkpoint says of its run. */
export const runConfigSchema = v.strictObject({
  model: modelConfigSchema,
  text: textConfigSchema,
  training: trainingConfigSchema,
  limits: limitsSchema,
});

/** Where a run stands between two steps. */
const progressFields = v.strictObject({
  /** Steps taken. */
  step: count(),
  /** The epoch of the next batch, from 0, and the batch's place in it. */
  epoch: count(),
  batch: count(),
  /** The step at which the run ends; undefined where losses alone decide. */
  totalSteps: v.optional(countFromOne()),
  /**
   * When the speed was measured again, for a run whose time is limited: the step, and the number of steps
   * planned until then, which may be the same as after it.
   */
  replan: v.optional(oneOrMore(v.strictObject({ step: count(), totalSteps: countFromOne() })), []),
  /** The step of the last evaluation. */
  evaluatedAt: count(),
  /** Sum of the training loss since then, nats, and the characters it covers. */
  lossSum: numberFromZero(LARGEST_SUM),
  lossCharacters: count(),
  /** The training loss up to that evaluation, and its validation loss, nats/character. */
  trainingLoss: v.optional(numberFromZero()),
  validationLoss: v.optional(numberFromZero()),
  /** The loss of the first step, nats/character, by which later ones are judged. */
  firstLoss: v.optional(numberFromZero()),
  /** The lowest validation loss so far, nats/character, and its step. */
  bestLoss: v.optional(numberFromZero()),
  bestStep: v.optional(count()),
  /** Evaluations since then, and since the plateau schedule lowered the rate. */
  evaluationsSinceBest: count(),
  evaluationsSinceLowered: count(),
  /** What the learning rate is multiplied by: below 1 after plateaus and rollbacks. */
  rateFactor: numberAboveZero(1),
  /** Steps that changed nothing, since something in them was not finite: in a row, and in all. */
  badSteps: wholeNumber(0, MOST_BAD_STEPS),
  droppedSteps: count(),
  /** How often the run went back to its last checkpoint after several of them. */
  rollbacks: wholeNumber(0, MOST_ROLLBACKS),
});

export const progressSchema = v.pipe(
  progressFields,
  v.check(({ step, evaluatedAt }) => evaluatedAt <= step, "must be an evaluation up to its step"),
  v.check(({ step, bestStep = 0 }) => bestStep <= step, "must be a best step up to its step"),
);

export type RunConfig = Readonly<v.InferOutput<typeof runConfigSchema>>;
export type TrainingConfig = Readonly<v.InferOutput<typeof trainingConfigSchema>>;
export type Limits = Readonly<v.InferOutput<typeof limitsSchema>>;
export type Progress = v.InferOutput<typeof progressSchema>;
