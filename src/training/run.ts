import type { SelectedBackend } from "../backends/select.js";
import { cleanUp } from "../clean-up.js";
import type { Clock } from "../clock.js";
import type { Progress, RunConfig } from "../config/run.js";
import type { Batches } from "../data/batches.js";
import type { Corpus } from "../data/corpus.js";
import type { CharRnn } from "../model/char-rnn.js";
import type { Choice } from "../planning/choice.js";
import type { Speed } from "../planning/forecast.js";
import type { Processes } from "../ranks/join.js";
import type { Ranks } from "../ranks/ranks.js";
import type { RunLock } from "../runs/lock.js";
import type { RunFolder } from "../runs/run-folder.js";
import { createMembers, disposeMembers } from "./member.js";
import type { SharedRun } from "./shared-run.js";

/** What a run is made of: all that is decided about it, the text, and models with their first weights. */
export interface RunParts {
  readonly folder: RunFolder;
  /** The processes that train it; this one is rank 0. */
  readonly ranks: Ranks;
  readonly lock: RunLock;
  readonly config: RunConfig;
  readonly selected: SelectedBackend;
  readonly corpus: Corpus;
  readonly batches: Batches;
  /** Those that are trained. */
  readonly models: readonly CharRnn[];
  readonly progress: Progress;
  /** As the trial has measured it. */
  readonly speed: Speed;
  /** Of the whole run, with the time that earlier processes have taken. */
  readonly clock: Clock;
  /** What the weights of each model were at step 0, `[parameters]`. */
  readonly firstWeights: () => Promise<Float32Array[]>;
  /** The preset that was chosen for it, unless one was asked for. */
  readonly choice: Choice | undefined;
  /** Whether its last checkpoint, by its own limits, would go on. */
  readonly wouldGoOn: boolean;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
}

/** A run, ready to take its next step. */
export interface Run extends Omit<RunParts, "models" | "warnings" | "speed">, SharedRun {
  speed: Speed;
  /** Where several processes train it. */
  processes: Processes | undefined;
  readonly corpus: Corpus;
  readonly progress: Progress;
  warnings: readonly string[];
  /** The step whose file has the best checkpoint, while that can't take its place. */
  bestAside: number | undefined;
  /** Frees its tensors. */
  dispose(): void;
  /** Frees its tensors, and lets other processes have its folder. */
  close(): Promise<void>;
}

export function createRun({ models, ...parts }: RunParts): Run {
  const { config, lock, ranks } = parts;
  return {
    ...parts,
    members: createMembers(models, config, ranks),
    processes: undefined,
    bestAside: undefined,
    dispose() {
      disposeMembers(this.members);
    },
    async close() {
      await cleanUp(
        () => lock.release(),
        () => this.dispose(),
      );
    },
  };
}
