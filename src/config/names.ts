/** The words that options can be, and limits of their numbers. Nothing heavy is imported here: the help shows them. */

export const BACKEND_NAMES = ["native", "wasm", "tensorflow"] as const;
/** What a user may ask for: a backend, the first that loads, or wasm by the name of its predecessor. */
export const BACKEND_CHOICES = ["auto", ...BACKEND_NAMES, "cpu"] as const;
/** More threads than any processor has cores. */
export const MAX_THREADS = 1024;
/** Texts that can be written side by side. */
export const MAX_TEXTS = 4096;
export const OPTIMIZER_NAMES = ["nadam", "adam", "sgd", "rmsprop"] as const;
export const SCHEDULE_NAMES = ["cosine", "linear", "exponential", "plateau", "constant"] as const;
/** What to do with bytes that are wrong in a text's encoding. */
export const INVALID_NAMES = ["error", "replace", "skip"] as const;
/** What to do with characters that a model does not know. */
export const UNKNOWN_NAMES = ["error", "skip", "map"] as const;
export const LINE_END_NAMES = ["keep", "lf"] as const;
/** The normal forms of Unicode. */
export const NORMAL_FORM_NAMES = ["nfc", "nfd", "nfkc", "nfkd"] as const;
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
export type BackendChoice = (typeof BACKEND_CHOICES)[number];
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number];
export type PresetName = (typeof PRESET_NAMES)[number];
export type ScheduleName = (typeof SCHEDULE_NAMES)[number];
export type InvalidName = (typeof INVALID_NAMES)[number];
export type UnknownName = (typeof UNKNOWN_NAMES)[number];
export type LineEndName = (typeof LINE_END_NAMES)[number];
export type NormalFormName = (typeof NORMAL_FORM_NAMES)[number];
export type BatchingName = (typeof BATCHING_NAMES)[number];
export type SplitName = (typeof SPLIT_NAMES)[number];

/** Where runs are, in the current folder. */
export const RUNS_FOLDER = "checkpoints";

export const MAX_LAYERS = 64;
/** Units of a layer, characters of a vocabulary, windows of a batch and the like. */
export const MAX_SIZE = 65_536;
/** Characters of the longest n-grams that can have embeddings. */
export const MAX_NGRAM_ORDER = 5;
/** Rows of the largest table of n-grams. */
export const MAX_NGRAM_ROWS = 2 ** 20;
/** Workers of a run. */
export const MAX_WORKERS = 1_024;
/** Models of a run that predict together. The header of a checkpoint has room for the tensors of this many layers. */
export const MAX_MEMBERS = 64;
export const MAX_LAYERS_OF_MEMBERS = 96;
/** Far more steps than any run takes, and few enough to be counted on from there. */
export const MAX_STEPS = 1e15;
export const MAX_EPOCHS = 100_000;
/** Of a cross-validation. */
export const MAX_FOLDS = 100;
