import { disposeAll } from "../backends/scope.js";
import type { SelectedBackend } from "../backends/select.js";
import type { Progress, RunConfig } from "../config/run.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import type { CharRnn, ModelState } from "../model/char-rnn.js";
import type { ParameterArray } from "../model/parameters.js";
import type { Random } from "../random.js";
import type { RunLock } from "../runs/lock.js";
import type { RunFolder } from "../runs/run-folder.js";
import type { Speed } from "./forecast.js";
import type { GradientSum } from "./gradient-sum.js";
import type { Optimizer } from "./optimizer.js";
import type { Choice } from "./presets.js";
import type { Clock } from "./settings.js";

/** What a step of training reads and changes. */
export interface Learner {
  readonly config: Pick<RunConfig, "training">;
  readonly model: CharRnn;
  /** Of the model's weights over the steps, unless there is none. */
  readonly average: ParameterArray | undefined;
  /** Overwritten at every step. */
  readonly gradients: ParameterArray;
  readonly optimizer: Optimizer;
  readonly gradientSum: GradientSum;
  readonly batches: Batches;
  readonly random: Random;
  readonly progress: Pick<
    Progress,
    "step" | "epoch" | "batch" | "totalSteps" | "replan" | "rateFactor"
  >;
  /** The state carried to the next batch. */
  state: ModelState;
}

/** A run, ready to take its next step. */
export interface Run extends Learner {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly corpus: Corpus;
  readonly backend: SelectedBackend;
  /** What is evaluated and sampled from: the model, or another with its averaged weights. */
  readonly scored: CharRnn;
  readonly progress: Progress;
  /** What the weights were at step 0, `[parameters]`. */
  readonly firstWeights: Float32Array;
  /** What the trial showed. */
  readonly speed: Speed;
  /** Of the whole run, the time included that earlier processes took. */
  readonly clock: Clock;
  /** The preset that was chosen for it, unless one was asked for. */
  readonly choice: Choice | undefined;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
  readonly lock: RunLock;
}

/** Frees the tensors of a run. */
export function disposeRun({
  gradients,
  state,
  model,
  scored,
  optimizer,
}: Pick<Run, "gradients" | "state" | "model" | "scored" | "optimizer">): void {
  gradients.dispose();
  disposeAll(state);
  model.dispose();
  if (scored !== model) scored.dispose();
  optimizer.dispose();
}
