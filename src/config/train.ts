import { CELL_NAMES } from "./cells.js";
import { FILES, FLAG, FOLD, FRACTION, oneOf, TEXT, wholeNumber } from "./kinds.js";
import {
  BATCHING_NAMES,
  LINE_END_NAMES,
  MAX_LAYERS,
  MAX_SIZE,
  PRESET_NAMES,
  SPLIT_NAMES,
} from "./names.js";
import { OPTIMIZATION } from "./optimization.js";
import { defaultsOf, type TrainOption } from "./option.js";
import { backendOptions, jsonOption, outOption, readingOptions } from "./shared.js";
import type { TrainCommandSettings } from "./train-settings.js";

type TrainTable = {
  readonly [Name in keyof Required<TrainCommandSettings>]: TrainOption<
    NonNullable<TrainCommandSettings[Name]>
  >;
};

const READING = readingOptions("of the files");

const MODEL = "Model:";
const TEXT_GROUP = "Text:";
const BATCHES = "Batches:";
const RUN = "Run:";
const OUTPUT = "Output:";
const BY_PRESET = "by the preset";

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
    kind: wholeNumber(1, MAX_LAYERS),
    value: "<n>",
    help: "recurrent layers",
    default: 1,
    group: MODEL,
    aliases: ["num-layers", "n-layers", "n-layer"],
    onResume: "kept",
    checkpoint: "model",
  },
  hiddenSize: {
    kind: wholeNumber(1, MAX_SIZE),
    value: "<n>",
    help: "units in each layer",
    decidedBy: BY_PRESET,
    group: MODEL,
    aliases: ["rnn-size", "hidden"],
    onResume: "kept",
    checkpoint: "model",
  },
  embeddingSize: {
    kind: wholeNumber(0, MAX_SIZE),
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
  encoding: { ...READING.encoding, group: TEXT_GROUP, onResume: "again" },
  invalid: { ...READING.invalid, group: TEXT_GROUP, onResume: "again" },
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
    kind: wholeNumber(1, MAX_SIZE),
    value: "<n>",
    help: "windows in a batch",
    decidedBy: BY_PRESET,
    group: BATCHES,
    onResume: "kept",
    checkpoint: "training",
  },
  seqLength: {
    kind: wholeNumber(1, MAX_SIZE),
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
  ...OPTIMIZATION,
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
  backend: { ...backendOptions.backend, group: RUN, onResume: "again" },
  threads: { ...backendOptions.threads, group: RUN, onResume: "again" },
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
