import { CELL_NAMES, type CellName } from "./cells.js";
import {
  ABOVE_ZERO,
  AT_LEAST_ZERO,
  FILES,
  FLAG,
  FOLD,
  type Fold,
  FRACTION,
  oneOf,
  SECONDS,
  STEP_CHANGES,
  type StepChange,
  TEXT,
  wholeNumber,
} from "./kinds.js";
import {
  BATCHING_NAMES,
  type BatchingName,
  type InvalidName,
  LINE_END_NAMES,
  type LineEndName,
  MOST_EPOCHS,
  MOST_LAYERS,
  MOST_SIZE,
  MOST_STEPS,
  OPTIMIZER_NAMES,
  type OptimizerName,
  PRESET_NAMES,
  type PresetName,
  SCHEDULE_NAMES,
  type ScheduleName,
  SPLIT_NAMES,
  type SplitName,
} from "./names.js";
import { defaultsOf, type Option } from "./option.js";
import {
  type BackendSettings,
  backendOption,
  encodingOption,
  invalidOption,
  jsonOption,
  outOption,
  threadsOption,
} from "./shared.js";

/** What to train on and how. What is left out has its default, or is decided by the preset. */
export interface TrainSettings extends BackendSettings {
  /** Files and folders; `-` is standard input. */
  readonly files: readonly string[];
  /** Decides what else is left out; by default the time, or else the text, decides which it is. */
  readonly preset?: PresetName | undefined;

  /** Default: `gru`. */
  readonly cell?: CellName | undefined;
  /** Recurrent layers. Default: 1. */
  readonly layers?: number | undefined;
  /** Units in each layer. Default: by the preset. */
  readonly hiddenSize?: number | undefined;
  /** The size of a character's vector; 0: one-hot. Default: by the preset. */
  readonly embeddingSize?: number | undefined;

  /** The fraction of the text to validate on. Default: 0.1. */
  readonly validation?: number | undefined;
  /** The fraction of the text to score at the end alone. Default: 0. */
  readonly test?: number | undefined;
  /** A text to validate on, in place of a part of `files`. */
  readonly validationFile?: string | undefined;
  /** Which of several equal parts of the text to validate on, in place of `validation`. */
  readonly fold?: Fold | undefined;
  /** `lines`: each line is a text by itself. */
  readonly documents?: "lines" | undefined;
  /** How the parts are chosen. Default: `random`, which deals lines to them, with `documents`; else `sequential`. */
  readonly split?: SplitName | undefined;
  /** Of the files. Default: `utf-8`. */
  readonly encoding?: string | undefined;
  /** What to do with bytes that are wrong in that encoding. Default: `error`. */
  readonly invalid?: InvalidName | undefined;
  /** `lf` reads all line ends as newlines. Default: `lf` with `documents`, else `keep`. */
  readonly lineEnds?: LineEndName | undefined;
  /** Characters that occur less often in the training part become one unknown character. */
  readonly minCount?: number | undefined;

  /** Windows in a batch. Default: by the preset. */
  readonly batchSize?: number | undefined;
  /** Characters in a window. Default: 64. */
  readonly seqLength?: number | undefined;
  /** Default: `lanes`, parallel parts of the text with the state carried on. */
  readonly batching?: BatchingName | undefined;
  /** Characters between the starts of two windows. Default: the sequence length. */
  readonly stride?: number | undefined;

  /** Passes over the text. Default: by the text's length. */
  readonly epochs?: number | undefined;
  /** Optimizer steps. */
  readonly steps?: number | undefined;
  /** Seconds, from the beginning of `TrainOptions.clock` to the end of the run. */
  readonly maxTime?: number | undefined;
  /**
   * Changes of the number of steps during the run, as a run with `maxTime` makes them when it measures its
   * speed again: from `step` on there are `steps` in all, and the learning rate continues from where it is.
   */
  readonly replan?: readonly StepChange[] | undefined;
  /** Evaluations in a row without a lower validation loss, after which the run ends; 0: any number. */
  readonly patience?: number | undefined;
  /** A validation loss at which the run ends, nats/char; 0: none. */
  readonly targetLoss?: number | undefined;

  /** The fraction of each layer's outputs to drop. Default: by the model, the text and the epochs. */
  readonly dropout?: number | undefined;
  /** The fraction of the characters' vectors. Default: as `dropout`. */
  readonly inputDropout?: number | undefined;
  /** The fraction of the state, where the next step reads it. Default: as `dropout`. */
  readonly recurrentDropout?: number | undefined;
  /** The fraction of the recurrent weights. Default: 0. */
  readonly weightDropout?: number | undefined;

  /** Decoupled, of all parameters. Default: 0.1. */
  readonly weightDecay?: number | undefined;
  /** Default: `adam`. */
  readonly optimizer?: OptimizerName | undefined;
  /** At its highest. Default: by the preset. */
  readonly learningRate?: number | undefined;
  /** How the learning rate falls. Default: `cosine`, or `plateau` where nothing says when the run ends. */
  readonly schedule?: ScheduleName | undefined;
  /** Steps in which the learning rate rises first. Default: 50. */
  readonly warmupSteps?: number | undefined;
  /** The largest norm of the gradient; 0: any. Default: 1. */
  readonly clipNorm?: number | undefined;
  /** The largest gradient; 0: any. Default: 0. */
  readonly clipValue?: number | undefined;
  /** Batches whose gradients make one step. Default: 1. */
  readonly accumulate?: number | undefined;
  /** The decay of the weights' running average; 0: there is none. Default: 0.998. */
  readonly averageDecay?: number | undefined;

  /** The run's name. Default: made from the text and the model. */
  readonly name?: string | undefined;
  /** The folder in which runs have theirs. Default: `checkpoints`. */
  readonly out?: string | undefined;
  /** A checkpoint whose weights to begin with: a file, a run's folder, or a run's name in `out`. */
  readonly initFrom?: string | undefined;
  /** Continues from the last checkpoint. Default: false. */
  readonly resume?: boolean | undefined;
  /** Replaces the run of this name. Default: false. */
  readonly overwrite?: boolean | undefined;
  /** Steps between two evaluations; there is one at the end of each epoch too. Default: 500. */
  readonly evalEvery?: number | undefined;
  /**
   * About how many characters of the held-out part an evaluation scores, always the same ones, from all over
   * it. Default: all, or with `maxTime` as many as there is time for.
   */
  readonly evalCharacters?: number | undefined;
  /** Steps between two checkpoints; there is one at each evaluation, and every five minutes, too. Default: 500. */
  readonly saveEvery?: number | undefined;
  /** Whether to keep what the run reports for TensorBoard too. Default: false. */
  readonly tensorboard?: boolean | undefined;
  /** How many checkpoints `step-N.safetensors` stay. Default: 0. */
  readonly keep?: number | undefined;
  /** Default: 0. */
  readonly randomSeed?: number | undefined;
}

/** What can be typed: settings, and what the command line alone has. */
export interface TrainCommandSettings extends TrainSettings {
  readonly crossValidate?: number | undefined;
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** An option of a training. */
interface TrainOption<Value> extends Option<Value> {
  /**
   * What happens to it when a run is resumed: the checkpoint keeps it, it has to be given again, or it belongs
   * to the beginning of a run alone.
   */
  readonly onResume: "kept" | "again" | "beginning";
  /** The part of the config in which a checkpoint keeps it. */
  readonly checkpoint?: "model" | "training" | "text" | "limits";
}

type TrainTable = {
  readonly [Name in keyof Required<TrainCommandSettings>]: TrainOption<
    NonNullable<TrainCommandSettings[Name]>
  >;
};

const MODEL = "Model:";
const TEXT_GROUP = "Text:";
const BATCHES = "Batches:";
const LENGTH = "How long (the first limit reached ends the run):";
const DROPOUT = "Dropout (shares, the same ones for a whole window):";
const OPTIMIZATION = "Optimization:";
const RUN = "Run:";
const OUTPUT = "Output:";
const BY_PRESET = "by the preset";
const BY_LENGTH = "by the model, the text and the epochs";

/** All options of a training, in the order in which the help shows them and a checkpoint keeps them. */
export const TRAIN = {
  files: { kind: FILES, onResume: "again" },
  preset: {
    kind: oneOf(PRESET_NAMES),
    value: "<size>",
    help: "what else is not given",
    decidedBy: "by the time, or else the text",
    onResume: "kept",
    checkpoint: "training",
  },
  cell: {
    kind: oneOf(CELL_NAMES),
    value: "<name>",
    help: "recurrent cell",
    default: "gru",
    group: MODEL,
    aliases: ["model", "model-type"],
    onResume: "kept",
    checkpoint: "model",
  },
  layers: {
    kind: wholeNumber(1, MOST_LAYERS),
    value: "<n>",
    help: "recurrent layers",
    default: 1,
    group: MODEL,
    aliases: ["num-layers", "n-layers", "n-layer"],
    onResume: "kept",
    checkpoint: "model",
  },
  hiddenSize: {
    kind: wholeNumber(1, MOST_SIZE),
    value: "<n>",
    help: "units in each layer",
    decidedBy: BY_PRESET,
    group: MODEL,
    aliases: ["rnn-size", "hidden"],
    onResume: "kept",
    checkpoint: "model",
  },
  embeddingSize: {
    kind: wholeNumber(0, MOST_SIZE),
    value: "<n>",
    help: "size of a character's vector; 0 is one-hot",
    decidedBy: BY_PRESET,
    group: MODEL,
    aliases: ["wordvec-size"],
    onResume: "kept",
    checkpoint: "model",
  },
  validation: {
    kind: FRACTION,
    value: "<share>",
    help: "held out to score the model on",
    default: 0.1,
    group: TEXT_GROUP,
    aliases: ["val-frac", "valid-frac", "validation-split"],
    onResume: "kept",
    checkpoint: "training",
  },
  fold: { kind: FOLD, onResume: "kept", checkpoint: "training" },
  test: {
    kind: FRACTION,
    value: "<share>",
    help: "kept apart from both, at the end",
    default: 0,
    group: TEXT_GROUP,
    aliases: ["test-frac"],
    onResume: "kept",
    checkpoint: "training",
  },
  validationFile: {
    kind: TEXT,
    value: "<file>",
    help: "a text of its own to validate on",
    group: TEXT_GROUP,
    onResume: "again",
  },
  crossValidate: {
    commandOnly: true,
    kind: wholeNumber(2, 100),
    value: "<k>",
    help: "train k models, each validated on another k-th",
    group: TEXT_GROUP,
    onResume: "again",
  },
  documents: {
    kind: oneOf(["lines"]),
    value: "<kind>",
    help: "many short texts, one a line",
    group: TEXT_GROUP,
    onResume: "kept",
    checkpoint: "text",
  },
  split: {
    kind: oneOf(SPLIT_NAMES),
    value: "<how>",
    help: "hold out random lines, or the end of the text",
    decidedBy: "random with --documents, else sequential",
    group: TEXT_GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  encoding: { ...encodingOption("of the files"), group: TEXT_GROUP, onResume: "again" },
  invalid: { ...invalidOption, group: TEXT_GROUP, onResume: "again" },
  lineEnds: {
    kind: oneOf(LINE_END_NAMES),
    value: "<kind>",
    help: "as they are, or all as newlines",
    decidedBy: "keep, and lf with --documents",
    group: TEXT_GROUP,
    onResume: "kept",
    checkpoint: "text",
  },
  minCount: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "characters that occur less often become one unknown character, which is never written",
    group: TEXT_GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  batching: {
    kind: oneOf(BATCHING_NAMES),
    value: "<kind>",
    help: "read the text in parallel lanes with the state carried on, or shuffled windows",
    default: "lanes",
    group: BATCHES,
    onResume: "kept",
    checkpoint: "training",
  },
  batchSize: {
    kind: wholeNumber(1, MOST_SIZE),
    value: "<n>",
    help: "windows in a batch",
    decidedBy: BY_PRESET,
    group: BATCHES,
    onResume: "kept",
    checkpoint: "training",
  },
  seqLength: {
    kind: wholeNumber(1, MOST_SIZE),
    value: "<n>",
    help: "characters in a window",
    default: 64,
    group: BATCHES,
    aliases: ["num-unrollings", "chunk-len", "block-size", "bptt"],
    onResume: "kept",
    checkpoint: "training",
  },
  stride: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "characters between windows",
    decidedBy: "the sequence length",
    group: BATCHES,
    onResume: "kept",
    checkpoint: "training",
  },
  epochs: {
    kind: wholeNumber(1, MOST_EPOCHS),
    value: "<n>",
    help: "passes over the text",
    decidedBy: "by the text's length",
    group: LENGTH,
    aliases: ["max-epochs", "num-epochs", "n-epochs"],
    onResume: "kept",
    checkpoint: "limits",
  },
  steps: {
    kind: wholeNumber(1, MOST_STEPS),
    value: "<n>",
    help: "batches learned from",
    group: LENGTH,
    aliases: ["max-iters", "max-steps"],
    onResume: "kept",
    checkpoint: "limits",
  },
  maxTime: {
    kind: SECONDS,
    value: "<time>",
    help: "from the start of the command to its end, such as 90s, 10m or 2h; alone, 100 epochs at most",
    group: LENGTH,
    onResume: "kept",
    checkpoint: "limits",
  },
  replan: {
    kind: STEP_CHANGES,
    value: "<step:steps,...>",
    help: "with --steps: change the number of steps at that step, as the run to be repeated did",
    group: LENGTH,
    onResume: "kept",
    checkpoint: "limits",
  },
  patience: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "evaluations in a row without a lower validation loss; 0 is any number",
    group: LENGTH,
    aliases: ["early-stopping-patience"],
    onResume: "kept",
    checkpoint: "limits",
  },
  targetLoss: {
    kind: AT_LEAST_ZERO,
    value: "<loss>",
    help: "a validation loss that is low enough; 0 is none",
    group: LENGTH,
    onResume: "kept",
    checkpoint: "limits",
  },
  dropout: {
    kind: FRACTION,
    value: "<share>",
    help: "of the outputs of each layer",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
  },
  inputDropout: {
    kind: FRACTION,
    value: "<share>",
    help: "of characters' vectors",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
  },
  recurrentDropout: {
    kind: FRACTION,
    value: "<share>",
    help: "of the state, where the next step reads it",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
  },
  weightDropout: {
    kind: FRACTION,
    value: "<share>",
    help: "of the recurrent weights",
    default: 0,
    group: DROPOUT,
    aliases: ["wdrop"],
    onResume: "kept",
    checkpoint: "training",
  },
  optimizer: {
    kind: oneOf(OPTIMIZER_NAMES),
    value: "<name>",
    help: "update rule",
    default: "adam",
    group: OPTIMIZATION,
    onResume: "kept",
    checkpoint: "training",
  },
  learningRate: {
    kind: ABOVE_ZERO,
    value: "<rate>",
    help: "at its highest",
    decidedBy: BY_PRESET,
    group: OPTIMIZATION,
    aliases: ["lr"],
    onResume: "kept",
    checkpoint: "training",
  },
  schedule: {
    kind: oneOf(SCHEDULE_NAMES),
    value: "<name>",
    help: "how the learning rate falls",
    default: "cosine",
    group: OPTIMIZATION,
    onResume: "kept",
    checkpoint: "training",
  },
  warmupSteps: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "steps in which it rises first",
    default: 50,
    group: OPTIMIZATION,
    aliases: ["warmup-iters"],
    onResume: "kept",
    checkpoint: "training",
  },
  clipNorm: {
    kind: AT_LEAST_ZERO,
    value: "<norm>",
    help: "largest norm of the gradient; 0 is any",
    default: 1,
    group: OPTIMIZATION,
    aliases: ["grad-clip", "max-grad-norm"],
    onResume: "kept",
    checkpoint: "training",
  },
  clipValue: {
    kind: AT_LEAST_ZERO,
    value: "<size>",
    help: "largest gradient; 0 is any",
    default: 0,
    group: OPTIMIZATION,
    onResume: "kept",
    checkpoint: "training",
  },
  accumulate: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "batches that make one step",
    default: 1,
    group: OPTIMIZATION,
    aliases: ["gradient-accumulation-steps"],
    onResume: "kept",
    checkpoint: "training",
  },
  weightDecay: {
    kind: AT_LEAST_ZERO,
    value: "<rate>",
    help: "decoupled, of all parameters",
    default: 0.1,
    group: OPTIMIZATION,
    aliases: ["wdecay"],
    onResume: "kept",
    checkpoint: "training",
  },
  averageDecay: {
    kind: FRACTION,
    value: "<share>",
    help: "of the weights' running average, which is scored and sampled; 0 is none",
    default: 0.998,
    group: OPTIMIZATION,
    aliases: ["ema-decay"],
    onResume: "kept",
    checkpoint: "training",
  },
  name: {
    kind: TEXT,
    value: "<name>",
    help: "of the run",
    decidedBy: "from the text and the model",
    group: RUN,
    onResume: "again",
  },
  out: {
    ...outOption,
    group: RUN,
    aliases: ["checkpoint-dir", "save-dir", "out-dir", "output-dir", "work-dir"],
    onResume: "again",
  },
  config: {
    commandOnly: true,
    kind: TEXT,
    value: "<file>",
    help: "options as a JSON object; what is typed wins",
    group: RUN,
    onResume: "beginning",
  },
  initFrom: {
    kind: TEXT,
    value: "<run>",
    help: "begin with the weights of a run or checkpoint",
    group: RUN,
    onResume: "kept",
  },
  resume: {
    kind: FLAG,
    help: "go on from the last checkpoint, exactly; a limit replaces those of its kind",
    group: RUN,
    onResume: "beginning",
  },
  overwrite: {
    kind: FLAG,
    help: "replace the run of this name, or of the default one",
    group: RUN,
    onResume: "beginning",
  },
  evalEvery: {
    kind: wholeNumber(1),
    value: "<steps>",
    help: "evaluate; at each epoch's end too",
    default: 500,
    group: RUN,
    aliases: ["eval-interval", "eval-val-every"],
    onResume: "kept",
    checkpoint: "training",
  },
  evalCharacters: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "of the held-out part, from all over it, that an evaluation scores",
    decidedBy: "all, or with --max-time what there is time for",
    group: RUN,
    onResume: "kept",
    checkpoint: "training",
  },
  saveEvery: {
    kind: wholeNumber(1),
    value: "<steps>",
    help: "save; at each evaluation and after five minutes too",
    default: 500,
    group: RUN,
    aliases: ["checkpoint-every"],
    onResume: "again",
  },
  tensorboard: {
    kind: FLAG,
    help: "keep losses, samples and histograms for TensorBoard too",
    group: RUN,
    onResume: "again",
  },
  keep: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "checkpoints step-N that stay",
    default: 0,
    group: RUN,
    onResume: "again",
  },
  randomSeed: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "same seed, same model",
    default: 0,
    group: RUN,
    onResume: "kept",
    checkpoint: "training",
  },
  backend: { ...backendOption, group: RUN, onResume: "again" },
  threads: { ...threadsOption, group: RUN, onResume: "again" },
  json: { ...jsonOption("one JSON object a line"), group: OUTPUT, onResume: "again" },
  quiet: {
    commandOnly: true,
    kind: FLAG,
    short: "-q",
    help: "no progress",
    group: OUTPUT,
    onResume: "again",
  },
} as const satisfies TrainTable;

export const TRAIN_DEFAULTS = defaultsOf(TRAIN);
