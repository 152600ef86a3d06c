import * as v from "valibot";
import { ABOVE_ZERO, AT_LEAST_ZERO, oneOf, wholeNumber } from "./kinds.js";
import { type ModelConfig, modelConfigSchema } from "./model.js";
import { LINE_END_NAMES, MAX_STEPS, NORMAL_FORM_NAMES } from "./names.js";
import { schemaOf } from "./schema.js";
import { TRAIN } from "./train.js";
import type { TrainSettings } from "./train-settings.js";

/** Steps in a row that change nothing, after which a run goes back, and how often it does. */
export const MAX_BAD_STEPS = 5;
export const MAX_ROLLBACKS = 3;
/** Sums of losses stay finite. */
const MAX_SUM = 1e300;

const count = () => schemaOf(wholeNumber(0, MAX_STEPS));
const countFromOne = () => schemaOf(wholeNumber(1, MAX_STEPS));
const loss = () => schemaOf(AT_LEAST_ZERO);

/** A list; an older checkpoint, which could hold only one item, has just that item. */
function oneOrMore<Item extends v.GenericSchema<object>>(item: Item) {
  return v.union([
    v.array(item),
    v.pipe(
      item,
      v.transform((only) => [only]),
    ),
  ]);
}

type Table = typeof TRAIN;
type Part = "model" | "training" | "text" | "limits";
/** The settings that a part of the config has. */
type NamesIn<Of extends Part> = {
  [Name in keyof Table]: Table[Name] extends { readonly checkpoint: Of } ? Name : never;
}[keyof Table] &
  keyof TrainSettings;

/** Which text a run learns from, and how it was divided. */
const textConfigSchema = v.strictObject({
  fingerprint: v.string(),
  characters: schemaOf(wholeNumber(0)),
  trainCharacters: schemaOf(wholeNumber(0)),
  validationCharacters: schemaOf(wholeNumber(0)),
  testCharacters: schemaOf(wholeNumber(0)),
  /** A kind of them, or what parts them. */
  documents: v.optional(v.pipe(v.string(), v.minLength(1))),
  /** Whether line ends stayed as they were; they did where it is missing. */
  lineEnds: v.optional(schemaOf(oneOf(LINE_END_NAMES))),
  normalize: v.optional(schemaOf(oneOf(NORMAL_FORM_NAMES))),
  lowercase: v.optional(v.literal(true)),
  /**
   * Characters in each of the pieces that evaluations score where they score a part of what is held out. Missing in
   * runs from before there were pieces: they keep scoring as they did.
   */
  scoredPiece: v.optional(schemaOf(wholeNumber(1))),
  /** The n-gram baseline of the validation part, nats/char. This is its name in every checkpoint. */
  counting: v.optional(v.strictObject({ order: schemaOf(wholeNumber(1)), loss: loss() })),
});

/** Those that a checkpoint may lack. */
type OptionalName = {
  [Name in NamesIn<"training">]: (typeof TRAIN)[Name] extends { readonly absent: unknown }
    ? Name
    : never;
}[NamesIn<"training">];

/** How a run goes: everything that decides what its weights become, except the text itself. */
export type TrainingConfig = {
  readonly [Name in Exclude<NamesIn<"training">, OptionalName>]: NonNullable<TrainSettings[Name]>;
} & { readonly [Name in OptionalName]?: TrainSettings[Name] };

/** Sequences that a run reads side by side: the batches of all workers. */
export function batchRows({
  batchSize,
  workers = 1,
}: Pick<TrainingConfig, "batchSize" | "workers">): number {
  return batchSize * workers;
}

/** Whether the models that a run evaluates and saves have logits that are divided by a temperature, which it fits. */
export function isCalibrated({
  calibrationCharacters = 0,
}: Pick<TrainingConfig, "calibrationCharacters">): boolean {
  return calibrationCharacters > 0;
}

/** When a run ends: whichever comes first. */
export type Limits = { readonly [Name in NamesIn<"limits">]?: TrainSettings[Name] };

/** What a checkpoint says of its run. */
export interface RunConfig {
  readonly model: ModelConfig;
  readonly text: Readonly<v.InferOutput<typeof textConfigSchema>>;
  readonly training: TrainingConfig;
  readonly limits: Limits;
  /**
   * Whether its weights come from another program. Its text is not known then, and its checkpoint has nothing but
   * weights; the training and limits are what a new run with its weights begins from.
   */
  readonly imported?: true | undefined;
}

/** The settings that a checkpoint keeps in a part of its config, in the order in which it keeps them. */
export function namesIn<Of extends Part>(part: Of): NamesIn<Of>[] {
  const options = Object.entries(TRAIN as Readonly<Record<string, { checkpoint?: Part }>>);
  const names = options.filter(([, { checkpoint }]) => checkpoint === part).map(([name]) => name);
  return names as NamesIn<Of>[];
}

const trainingConfigSchema = v.strictObject(
  Object.fromEntries(
    namesIn("training").map((name) => {
      const schema = schemaOf<unknown>(TRAIN[name].kind);
      return [name, "absent" in TRAIN[name] ? v.optional(schema) : schema];
    }),
  ),
) as unknown as v.GenericSchema<unknown, TrainingConfig>;

/** In a checkpoint a limit of 0, which is none, is left out. */
const LIMITS: { readonly [Name in keyof Required<Limits>]: v.GenericSchema } = {
  epochs: schemaOf(TRAIN.epochs.kind),
  steps: schemaOf(TRAIN.steps.kind),
  maxTime: schemaOf(TRAIN.maxTime.kind),
  replan: oneOrMore(v.strictObject({ step: count(), steps: countFromOne() })),
  patience: schemaOf(wholeNumber(1)),
  targetLoss: schemaOf(ABOVE_ZERO),
};

const limitsSchema = v.pipe(
  // An empty list would be an object that lacks nothing.
  v.custom<object>((value) => !Array.isArray(value), "must be an object"),
  v.strictObject(
    Object.fromEntries(Object.entries(LIMITS).map(([name, schema]) => [name, v.optional(schema)])),
  ),
  v.check(
    ({ replan, ...ends }) => Object.values(ends).some((end) => end !== undefined),
    "must be one limit at least",
  ),
) as unknown as v.GenericSchema<unknown, Limits>;

export const runConfigSchema: v.GenericSchema<unknown, RunConfig> = v.strictObject({
  model: modelConfigSchema,
  text: textConfigSchema,
  training: trainingConfigSchema,
  limits: limitsSchema,
  imported: v.optional(v.literal(true)),
});

/** Where a run stands between two steps. */
export interface Progress {
  /** Steps taken. */
  step: number;
  /** The epoch of the next batch, from 0, and the batch's place in it. */
  epoch: number;
  batch: number;
  /** The step at which the run ends; undefined where losses alone decide. */
  totalSteps?: number | undefined;
  /**
   * When the speed was measured again, for a run whose time is limited: the step, and the number of steps
   * planned until then, which may be the same as after it.
   */
  replan: { step: number; totalSteps: number }[];
  /** The step of the last evaluation. */
  evaluatedAt: number;
  /** Sum of the training loss since then, nats, and the characters it covers. */
  lossSum: number;
  lossCharacters: number;
  /** The training loss up to that evaluation, and its validation loss, nats/char. */
  trainingLoss?: number | undefined;
  validationLoss?: number | undefined;
  /** By which the logits are divided, as the last evaluation has fitted it; undefined in a run that is not calibrated. */
  temperature?: number | undefined;
  /** The loss of the first step, nats/char, by which later ones are judged. */
  firstLoss?: number | undefined;
  /** The lowest validation loss so far, nats/char, and its step. */
  bestLoss?: number | undefined;
  bestStep?: number | undefined;
  /** Evaluations since then, and since the plateau schedule lowered the rate. */
  evaluationsSinceBest: number;
  evaluationsSinceLowered: number;
  /** What the learning rate is multiplied by: below 1 after plateaus and rollbacks. */
  rateFactor: number;
  /** Steps that changed nothing, since something in them was not finite: in a row, and in all. */
  badSteps: number;
  droppedSteps: number;
  /** How often the run went back to its last checkpoint after several of them. */
  rollbacks: number;
}

/** Where a new run stands. */
export function firstProgress(): Progress {
  return {
    step: 0,
    epoch: 0,
    batch: 0,
    evaluatedAt: 0,
    lossSum: 0,
    lossCharacters: 0,
    evaluationsSinceBest: 0,
    evaluationsSinceLowered: 0,
    rateFactor: 1,
    badSteps: 0,
    droppedSteps: 0,
    rollbacks: 0,
    replan: [],
  };
}

const PROGRESS: { readonly [Name in keyof Required<Progress>]: v.GenericSchema } = {
  step: count(),
  epoch: count(),
  batch: count(),
  totalSteps: v.optional(countFromOne()),
  replan: v.optional(oneOrMore(v.strictObject({ step: count(), totalSteps: countFromOne() })), []),
  evaluatedAt: count(),
  lossSum: schemaOf({ ...AT_LEAST_ZERO, below: MAX_SUM }),
  lossCharacters: count(),
  trainingLoss: v.optional(loss()),
  validationLoss: v.optional(loss()),
  temperature: v.optional(schemaOf(ABOVE_ZERO)),
  firstLoss: v.optional(loss()),
  bestLoss: v.optional(loss()),
  bestStep: v.optional(count()),
  evaluationsSinceBest: count(),
  evaluationsSinceLowered: count(),
  rateFactor: schemaOf({ ...ABOVE_ZERO, most: 1 }),
  badSteps: schemaOf(wholeNumber(0, MAX_BAD_STEPS)),
  droppedSteps: count(),
  rollbacks: schemaOf(wholeNumber(0, MAX_ROLLBACKS)),
};

export const progressSchema = v.pipe(
  v.strictObject(PROGRESS) as unknown as v.GenericSchema<unknown, Progress>,
  v.check(({ step, evaluatedAt }) => evaluatedAt <= step, "must be an evaluation up to its step"),
  v.check(({ step, bestStep = 0 }) => bestStep <= step, "must be a best step up to its step"),
);
