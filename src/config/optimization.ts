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

const LENGTH = "How long (the first limit reached ends the run):";
const DROPOUT = "Dropout (shares, the same ones for a whole window):";
const GROUP = "Optimization:";
const BY_PRESET = "by the preset";
const BY_LENGTH = "by the model, the text and the epochs";

export const OPTIMIZATION = {
  epochs: {
    kind: wholeNumber(1, MAX_EPOCHS),
    value: "<n>",
    help: "passes over the text",
    decidedBy: "by the text's length",
    group: LENGTH,
    aliases: ["max-epochs", "num-epochs", "n-epochs"],
    onResume: "kept",
    checkpoint: "limits",
  },
  steps: {
    kind: wholeNumber(1, MAX_STEPS),
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
    regularizes: true,
  },
  inputDropout: {
    kind: FRACTION,
    value: "<share>",
    help: "of characters' vectors",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
  },
  recurrentDropout: {
    kind: FRACTION,
    value: "<share>",
    help: "of the state, where the next step reads it",
    decidedBy: BY_LENGTH,
    group: DROPOUT,
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
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
    regularizes: true,
  },
  optimizer: {
    kind: oneOf(OPTIMIZER_NAMES),
    value: "<name>",
    help: "update rule",
    default: "adam",
    group: GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  learningRate: {
    kind: ABOVE_ZERO,
    value: "<rate>",
    help: "at its highest",
    decidedBy: BY_PRESET,
    group: GROUP,
    aliases: ["lr"],
    onResume: "kept",
    checkpoint: "training",
  },
  schedule: {
    kind: oneOf(SCHEDULE_NAMES),
    value: "<name>",
    help: "how the learning rate falls",
    default: "cosine",
    group: GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  warmupSteps: {
    kind: wholeNumber(0),
    value: "<n>",
    help: "steps in which it rises first",
    default: 50,
    group: GROUP,
    aliases: ["warmup-iters"],
    onResume: "kept",
    checkpoint: "training",
  },
  clipNorm: {
    kind: AT_LEAST_ZERO,
    value: "<norm>",
    help: "largest norm of the gradient; 0 is any",
    default: 1,
    group: GROUP,
    aliases: ["grad-clip", "max-grad-norm"],
    onResume: "kept",
    checkpoint: "training",
  },
  clipValue: {
    kind: AT_LEAST_ZERO,
    value: "<size>",
    help: "largest gradient; 0 is any",
    default: 0,
    group: GROUP,
    onResume: "kept",
    checkpoint: "training",
  },
  accumulate: {
    kind: wholeNumber(1),
    value: "<n>",
    help: "batches that make one step",
    default: 1,
    group: GROUP,
    aliases: ["gradient-accumulation-steps"],
    onResume: "kept",
    checkpoint: "training",
  },
  weightDecay: {
    kind: AT_LEAST_ZERO,
    value: "<rate>",
    help: "decoupled, of all parameters",
    default: 0.1,
    group: GROUP,
    aliases: ["wdecay"],
    onResume: "kept",
    checkpoint: "training",
    regularizes: true,
  },
  averageDecay: {
    kind: FRACTION,
    value: "<share>",
    help: "of the weights' running average, which is scored and sampled; 0 is none",
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
  adam: ["m", "v"],
  sgd: ["m"],
  rmsprop: ["v"],
};
