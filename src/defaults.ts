/**
 * What can be chosen among, and what is taken when nothing is said. Nothing heavy is imported here,
 * so that `--help` can show it at once.
 */

export const BACKEND_NAMES = ["native", "tensorflow", "cpu"] as const;
/** More threads than any processor has cores. */
export const MOST_THREADS = 1024;
export const OPTIMIZER_NAMES = ["adam", "sgd", "rmsprop"] as const;
export const SCHEDULE_NAMES = ["cosine", "linear", "exponential", "plateau", "constant"] as const;
export const BATCHING_NAMES = ["lanes", "windows"] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number];
export type ScheduleName = (typeof SCHEDULE_NAMES)[number];

/** Where runs are, in the current folder. */
export const RUNS_FOLDER = "checkpoints";

export const TRAIN_DEFAULTS = {
  validation: 0.1,
  test: 0,
  encoding: "utf-8",
  cell: "gru",
  layers: 1,
  hiddenSize: 128,
  embeddingSize: 32,
  dropout: 0,
  inputDropout: 0,
  recurrentDropout: 0,
  weightDropout: 0,
  batching: "lanes",
  batchSize: 16,
  seqLength: 64,
  epochs: 12,
  optimizer: "adam",
  learningRate: 5e-3,
  schedule: "cosine",
  warmupSteps: 0,
  clipNorm: 5,
  clipValue: 0,
  accumulate: 1,
  weightDecay: 0,
  averageDecay: 0.998,
  evalEvery: 500,
  saveEvery: 500,
  keep: 0,
  out: RUNS_FOLDER,
  randomSeed: 0,
  backend: "auto",
} as const;

export const SAMPLE_DEFAULTS = {
  length: 500,
  temperature: 0.8,
  topK: 0,
  topP: 1,
  count: 1,
  randomSeed: 0,
  backend: "auto",
} as const;

export const EVAL_DEFAULTS = {
  encoding: "utf-8",
  unknown: "error",
  backend: "auto",
} as const;

/** A character goes in one-hot and nothing is dropped unless it is asked for. */
export const BENCH_DEFAULTS = {
  cell: TRAIN_DEFAULTS.cell,
  layers: TRAIN_DEFAULTS.layers,
  hiddenSize: TRAIN_DEFAULTS.hiddenSize,
  embeddingSize: 0,
  dropout: 0,
  vocabularySize: 65,
  batchSize: TRAIN_DEFAULTS.batchSize,
  seqLength: TRAIN_DEFAULTS.seqLength,
  streams: 1,
  backend: "auto",
} as const;
