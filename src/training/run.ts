import type { SelectedBackend } from "../backends/select.js";
import type { Progress, RunConfig } from "../checkpoint/run-config.js";
import type { RunFolder } from "../checkpoint/run-folder.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import type { CharRnn, ModelState } from "../model/char-rnn.js";
import type { Random } from "../random.js";
import type { Optimizer } from "./optimizer.js";

/** What a step of training reads and changes. */
export interface Learner {
  readonly config: Pick<RunConfig, "training">;
  readonly model: CharRnn;
  readonly optimizer: Optimizer;
  readonly batches: Batches;
  readonly random: Random;
  readonly progress: Pick<Progress, "step" | "epoch" | "batch" | "totalSteps">;
  /** The state carried to the next batch. */
  state: ModelState;
}

/** A run, ready to take its next step. */
export interface Run extends Learner {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly corpus: Corpus;
  readonly backend: SelectedBackend;
  readonly progress: Progress;
  /** Seconds to be turned into a number of steps, once the speed is known. */
  readonly timeLimit: number | undefined;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
  /** Lets other processes have the run. */
  release(): Promise<void>;
}
