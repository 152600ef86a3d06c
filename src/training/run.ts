import type { SelectedBackend } from "../backends/select.js";
import { cleanUp } from "../clean-up.js";
import type { Clock } from "../clock.js";
import { batchRows, type Progress, type RunConfig } from "../config/run.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import { CharRnn } from "../model/char-rnn.js";
import { Learner } from "../optimization/learner.js";
import type { Speed } from "../planning/forecast.js";
import type { Choice } from "../planning/presets.js";
import { Random } from "../random.js";
import type { RunLock } from "../runs/lock.js";
import type { RunFolder } from "../runs/run-folder.js";
import type { Reader } from "./position.js";

/** What a run is made of: all that is decided about it, the text, and a model with its first weights. */
export interface RunParts {
  readonly folder: RunFolder;
  readonly lock: RunLock;
  readonly config: RunConfig;
  readonly selected: SelectedBackend;
  readonly corpus: Corpus;
  readonly batches: Batches;
  readonly model: CharRnn;
  readonly progress: Progress;
  /** As the trial has measured it. */
  readonly speed: Speed;
  /** Of the whole run, with the time that earlier processes have taken. */
  readonly clock: Clock;
  /** What the weights were at step 0, `[parameters]`. */
  readonly firstWeights: () => Promise<Float32Array>;
  /** The preset that was chosen for it, unless one was asked for. */
  readonly choice: Choice | undefined;
  /** Whether its last checkpoint, by its own limits, would go on. */
  readonly wouldGoOn: boolean;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
}

/** A run, ready to take its next step. */
export interface Run extends Omit<RunParts, "model" | "warnings">, Reader {
  readonly progress: Progress;
  warnings: readonly string[];
  readonly learner: Learner;
  /** What is evaluated and sampled from: the model, or another with the average of its weights. */
  readonly evalModel: CharRnn;
  readonly random: Random;
  /** The step whose file has the best checkpoint, while that can't take its place. */
  bestAside: number | undefined;
  /** Frees its tensors. */
  dispose(): void;
  /** Frees its tensors, and lets other processes have its folder. */
  close(): Promise<void>;
}

export function createRun({ model, ...parts }: RunParts): Run {
  const { config, lock } = parts;
  const learner = new Learner(model, config.training);
  const { average } = learner;
  const evalModel = average ? new CharRnn(model.backend, config.model, average) : model;
  return {
    ...parts,
    learner,
    evalModel,
    random: Random.fromSeed(config.training.randomSeed),
    bestAside: undefined,
    state: model.zeroState(batchRows(config.training)),
    dispose() {
      learner.dispose();
      model.dispose();
      if (evalModel !== model) evalModel.dispose();
    },
    async close() {
      await cleanUp(
        () => lock.release(),
        () => this.dispose(),
      );
    },
  };
}
