/**
 * What can be chosen among, and what is taken when nothing is said. Nothing heavy is imported here,
 * so that `--help` can show it at once.
 */

export const BACKEND_NAMES = ["native", "tensorflow", "cpu"] as const;
/** More threads than any processor has cores. */
export const MOST_THREADS = 1024;
/** Texts that can be written side by side. */
export const MOST_TEXTS = 4096;
export const OPTIMIZER_NAMES = ["adam", "sgd", "rmsprop"] as const;
export const SCHEDULE_NAMES = ["cosine", "linear", "exponential", "plateau", "constant"] as const;
/** What to do with bytes that are wrong in a text's encoding. */
export const INVALID_NAMES = ["error", "replace", "skip"] as const;
export const LINE_END_NAMES = ["keep", "lf"] as const;
export const BATCHING_NAMES = ["lanes", "windows"] as const;
export const SPLIT_NAMES = ["random", "sequential"] as const;
export const PRESET_NAMES = ["tiny", "small", "medium", "large"] as const;

/** What `charnn plot` can draw. */
export const METRIC_NAMES = [
  "loss",
  "training-loss",
  "validation-loss",
  "learning-rate",
  "gradient-norm",
  "speed",
] as const;

export type MetricName = (typeof METRIC_NAMES)[number];
export type BackendName = (typeof BACKEND_NAMES)[number];
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number];
export type PresetName = (typeof PRESET_NAMES)[number];
export type ScheduleName = (typeof SCHEDULE_NAMES)[number];

/** Where runs are, in the current folder. */
export const RUNS_FOLDER = "checkpoints";

/** For what no preset decides: see `training/presets.ts`. */
export const TRAIN_DEFAULTS = {
  validation: 0.1,
  test: 0,
  encoding: "utf-8",
  invalid: "error",
  cell: "gru",
  layers: 1,
  weightDropout: 0,
  batching: "lanes",
  seqLength: 64,
  optimizer: "adam",
  schedule: "cosine",
  warmupSteps: 50,
  clipNorm: 1,
  clipValue: 0,
  accumulate: 1,
  weightDecay: 0.1,
  averageDecay: 0.998,
  evalEvery: 500,
  saveEvery: 500,
  keep: 0,
  out: RUNS_FOLDER,
  randomSeed: 0,
  backend: "auto",
} as const;

export const SAMPLE_DEFAULTS = {
  out: RUNS_FOLDER,
  length: 500,
  temperature: 0.8,
  topK: 0,
  topP: 1,
  count: 1,
  randomSeed: 0,
  encoding: "utf-8",
  invalid: "error",
  backend: "auto",
} as const;

export const EVAL_DEFAULTS = {
  out: RUNS_FOLDER,
  encoding: "utf-8",
  invalid: "error",
  each: false,
  unknown: "error",
  dynamic: false,
  baselines: true,
  backend: "auto",
} as const;

export const SCORE_DEFAULTS = {
  out: RUNS_FOLDER,
  encoding: "utf-8",
  invalid: "error",
  unknown: "skip",
  fresh: false,
  backend: "auto",
} as const;

export const COPIES_DEFAULTS = {
  out: RUNS_FOLDER,
  encoding: "utf-8",
  invalid: "error",
  atLeast: 20,
} as const;

export const REPORT_DEFAULTS = {
  out: RUNS_FOLDER,
  encoding: "utf-8",
  invalid: "error",
  unknown: "skip",
  backend: "auto",
} as const;

/** A character goes in one-hot and nothing is dropped unless it is asked for. */
export const BENCH_DEFAULTS = {
  cell: TRAIN_DEFAULTS.cell,
  layers: TRAIN_DEFAULTS.layers,
  hiddenSize: 128,
  embeddingSize: 0,
  dropout: 0,
  inputDropout: 0,
  recurrentDropout: 0,
  weightDropout: 0,
  vocabularySize: 65,
  batchSize: 16,
  seqLength: TRAIN_DEFAULTS.seqLength,
  streams: 1,
  backend: "auto",
} as const;
