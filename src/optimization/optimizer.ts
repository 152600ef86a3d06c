import type { Backend, ParameterArray, StepArrays, StepSettings } from "../backends/backend.js";
import type { ModelConfig } from "../config/model.js";
import { MOMENT_NAMES, type MomentName } from "../config/optimization.js";
import { embeddingCount } from "../config/parameters.js";
import type { TrainingConfig } from "../config/run.js";
import type { NonzeroGradients } from "../model/batch-ngrams.js";
import { parameterArray } from "../model/parameters.js";

/** Adam's and NAdam's rates of decay (Kingma and Ba, 2015, algorithm 1). */
const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
const SGD = { momentum: 0.9 };
/** As char-rnn and its followers have it, but with PyTorch's epsilon. */
const RMSPROP = { decay: 0.95, epsilon: 1e-8 };

/** Rows of tables, which learn from few characters each, decay faster than other parameters (`bench/quality/LOG.md`). */
const ROW_DECAY = 3;
/**
 * Rows decay in one of this many steps, since that reads and writes whole tables, of which a batch reads few rows. Their
 * average is updated as seldom, but more often in the first steps, when it changes fast.
 */
const STEPS_BETWEEN = 32;
/** Between two steps that average rows there are at most this fraction of all steps so far. */
const AVERAGED_WITHIN = 1 / 16;

/** An optimizer with what it remembers. */
export interface Optimizer {
  /** Its moments by name, each an array over all parameters; they start at zero. */
  readonly moments: ReadonlyMap<MomentName, ParameterArray>;
  /**
   * Takes one step, in place.
   *
   * @param nonzero which groups of the gradients of embeddings are not zero, if that is known
   * @param average the running average of the parameters, if there is one; it takes them in
   * @param step the number of this step, from 1
   * @returns the global norm of the gradients before clipping; not finite: nothing was changed
   */
  step(
    arrays: {
      readonly parameters: ParameterArray;
      readonly gradients: ParameterArray;
      readonly nonzero?: NonzeroGradients | undefined;
      readonly average: ParameterArray | undefined;
    },
    learningRate: number,
    step: number,
  ): number;
  dispose(): void;
}

export type OptimizerSettings = Pick<
  TrainingConfig,
  "optimizer" | "clipNorm" | "clipValue" | "weightDecay" | "averageDecay"
>;

export function createOptimizer(
  backend: Backend,
  model: ModelConfig,
  settings: OptimizerSettings,
): Optimizer {
  const { optimizer, clipNorm, clipValue, weightDecay } = settings;
  const sparse = model.ngramOrder ? embeddingCount(model) : 0;
  const moments = new Map(
    MOMENT_NAMES[optimizer].map((name) => [name, parameterArray(backend, model)]),
  );
  const moment = (name: MomentName) => (moments.get(name) as ParameterArray).flat;
  const adamStep =
    (nesterov: boolean) => (arrays: StepArrays, common: StepSettings, step: number) =>
      backend.adamStep(
        { ...arrays, firstMoment: moment("m"), secondMoment: moment("v") },
        { ...common, ...ADAM, nesterov, step },
      );
  const takeStep = {
    nadam: adamStep(true),
    adam: adamStep(false),
    sgd: (arrays: StepArrays, common: StepSettings) =>
      backend.sgdStep({ ...arrays, moment: moment("m") }, { ...common, ...SGD }),
    rmsprop: (arrays: StepArrays, common: StepSettings) =>
      backend.rmsPropStep({ ...arrays, moment: moment("v") }, { ...common, ...RMSPROP }),
  }[optimizer];
  return {
    moments,
    step({ parameters, gradients, nonzero, average }, learningRate, step) {
      const since = step % STEPS_BETWEEN === 0 ? STEPS_BETWEEN : 0;
      const decays = {
        weightDecay,
        sparseWeightDecay: weightDecay * ROW_DECAY * since,
        averageDecay: average && warmedUp(settings.averageDecay, step),
        sparseAverageDecay: average && averageDecayOfRows(settings.averageDecay, step),
      };
      const common = { sparse, learningRate, clipNorm, clipValue, ...decays };
      const arrays = {
        parameters: parameters.flat,
        gradients: gradients.flat,
        nonzero: nonzero?.groups,
        average: average?.flat,
      };
      return takeStep(arrays, common, step);
    },
    dispose() {
      for (const array of moments.values()) array.dispose();
    },
  };
}

/** In a step that averages rows, the decay over all steps since the last such one; in others 1, which changes nothing. */
function averageDecayOfRows(decay: number, step: number): number {
  if (step % stepsBetweenAverages(step) > 0) return 1;
  let product = 1;
  const before = step - stepsBetweenAverages(step - 1);
  for (let last = before + 1; last <= step; last++) product *= warmedUp(decay, last);
  return product;
}

/** A power of two, so that numbers of steps which are multiples of a larger one are also of all smaller ones. */
function stepsBetweenAverages(step: number): number {
  const most = 2 ** Math.floor(Math.log2(Math.max(AVERAGED_WITHIN * step, 1)));
  return Math.min(most, STEPS_BETWEEN);
}

/** An average of few steps must not hold on to the weights that the first of them began with. */
function warmedUp(decay: number, step: number): number {
  return Math.min(decay, step / (step + 9));
}
