/** How a model is optimized, as options: how long, what is dropped, and by which rule. */
import {
  ABOVE_ZERO,
  AT_LEAST_ZERO,
  FRACTION,
  oneOf,
  SECONDS,
  STEP_CHANGES,
  wholeNumber,
} from "./kinds.js";
import {
  MAX_EPOCHS,
  MAX_STEPS,
  OPTIMIZER_NAMES,
  type OptimizerName,
  SCHEDULE_NAMES,
} from "./names.js";
import type { TrainOption } from "./option.js";

const LENGTH = "Length (the first limit reached ends the run):";
const DROPOUT = "Dropout (one mask for each window):";
const GROUP = "Optimization:";
const BY_PRESET = "from the preset";
const BY_LENGTH = "from the model and the text";

export const OPTIMIZATION = {
  epochs: {
    kind: wholeNumber(1, MAX_EPOCHS),
    value: "<n>",
    help: "Read the text this many times",
    decidedBy: "from the length of the text",
    group: LENGTH,
    aliases: ["max-epochs", "num-epochs", "n-epochs"],
    isCommon: true,
    onResume: "kept",
    checkpoint: "limits",
  },
  steps: {
    kind: wholeNumber(1, MAX_STEPS),
    value: "<n>",
    help: "Stop after n optimizer steps",
    group: LENGTH,
    aliases: ["max-iters", "max-steps"],
    onResume: "kept",
    checkpoint: "limits",
  },
  maxTime: {
    kind: SECONDS,
    value: "<time>",
    help: "Take at most this long in all, such as 90s, 10m or 2h",
    group: LENGTH,
    isCommon: true,
    onResume: "kept",
    checkpoint: "limits",
  },
  replan: {
    kind: STEP_CHANGES,
    value: "<step:steps,...>",
    help: "Repeat a --max-time run exactly: with --steps, change the total at the same steps as it did",
    group: LENGTH,
    onResume: "kept",
    checkpoint: "limits",
  },
  patience: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "Stop after n evaluations without a lower validation loss",
    special: "0: never",
    group: LENGTH,
    aliases: ["early-stopping-patience"],
    isCommon: true,
    onResume: "kept",
    checkpoint: "limits",
  },
  targetLoss: {
    kind: AT_LEAST_ZERO,
    value: "<loss>",
    help: "Stop at this validation loss, in nats per character",
    special: "0: never",
    group: LENGTH,
    onResume: "kept",
    checkpoint: "limits",
  },
  dropout: {
    kind: FRACTION,
    value: "<fraction>",
    help: "Drop this fraction of each layer's outputs",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
  },
  inputDropout: {
    kind: FRACTION,
    value: "<fraction>",
    help: "Drop this fraction of each character's vector",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
  },
  ngramDropout: {
    kind: FRACTION,
    value: "<fraction>",
    help: "Drop this fraction of the vectors of n-grams",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
    absent: 0,
    regularizes: true,
  },
  recurrentDropout: {
    kind: FRACTION,
    value: "<fraction>",
    help: "Drop this fraction of the recurrent state",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
  },
  weightDropout: {
    kind: FRACTION,
    value: "<fraction>",
    help: "Drop this fraction of the recurrent weights",
    default: 0,
    group: DROPOUT,
    aliases: ["wdrop"],
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
  },
  optimizer: {
    kind: oneOf(OPTIMIZER_NAMES),
    value: "<name>",
    help: "Use this optimizer",
    default: "nadam",
    group: GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  learningRate: {
    kind: ABOVE_ZERO,
    value: "<rate>",
    help: "Set the peak learning rate",
    decidedBy: BY_PRESET,
    group: GROUP,
    aliases: ["lr"],
    onResume: "kept",
    checkpoint: "training",
  },
  schedule: {
    kind: oneOf(SCHEDULE_NAMES),
    value: "<name>",
    help: "Lower the learning rate by this schedule",
    default: "cosine",
    group: GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  finalRate: {
    kind: FRACTION,
    value: "<fraction>",
    help: "Let the schedule end at this fraction of the peak",
    decidedBy: "0.2, or 0 without a running average",
    group: GROUP,
    onResume: "kept",
    checkpoint: "training",
    absent: undefined,
  },
  warmupSteps: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "Raise the learning rate linearly in the first n steps",
    default: 50,
    group: GROUP,
    aliases: ["warmup-iters"],
    onResume: "kept",
    checkpoint: "training",
  },
  clipNorm: {
    kind: AT_LEAST_ZERO,
    value: "<x>",
    help: "Clip the gradient's norm to this",
    special: "0: off",
    default: 1,
    group: GROUP,
    aliases: ["grad-clip", "max-grad-norm"],
    onResume: "kept",
    checkpoint: "training",
  },
  clipValue: {
    kind: AT_LEAST_ZERO,
    value: "<x>",
    help: "Clip each element of the gradient to between -x and x",
    special: "0: off",
    default: 0,
    group: GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  accumulate: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "Add up the gradients of n batches for each step",
    default: 1,
    group: GROUP,
    aliases: ["gradient-accumulation-steps"],
    onResume: "kept",
    checkpoint: "training",
  },
  weightDecay: {
    kind: AT_LEAST_ZERO,
    value: "<rate>",
    help: "Decay all parameters at this rate, decoupled from the gradient (AdamW)",
    default: 0.1,
    group: GROUP,
    aliases: ["wdecay"],
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
  },
  averageDecay: {
    kind: FRACTION,
    value: "<fraction>",
    help: "Evaluate and sample a running average of the weights with this decay",
    special: "0: off",
    default: 0.998,
    group: GROUP,
    aliases: ["ema-decay"],
    onResume: "kept",
    checkpoint: "training",
  },
} as const satisfies Readonly<Record<string, TrainOption<unknown>>>;

type Names = keyof typeof OPTIMIZATION;
type Regularizer = {
  [Name in Names]: (typeof OPTIMIZATION)[Name] extends { readonly regularizes: true }
    ? Name
    : never;
}[Names];

/** The settings that regularize, in the order of the table. */
export const REGULARIZERS = Object.entries(OPTIMIZATION)
  .filter(([, option]) => "regularizes" in option)
  .map(([name]) => name as Regularizer);

/** What an optimizer remembers of each parameter: means of gradients, and of their squares. */
export type MomentName = "m" | "v";

export const MOMENT_NAMES: Readonly<Record<OptimizerName, readonly MomentName[]>> = {
  nadam: ["m", "v"],
  adam: ["m", "v"],
  sgd: ["m"],
  rmsprop: ["v"],
};
