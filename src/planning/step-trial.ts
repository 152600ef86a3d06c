import { thenCleanUp } from "../clean-up.js";
import type { ModelConfig } from "../config/model.js";
import { batchRows, type TrainingConfig } from "../config/run.js";
import { type Batch, nothingBefore } from "../data/batch.js";
import type { CharRnn, ModelState } from "../model/char-rnn.js";
import type { DropoutRates } from "../model/dropout.js";
import { Learner } from "../optimization/learner.js";
import type { OptimizerSettings } from "../optimization/optimizer.js";
import { Random } from "../random.js";
import type { RankZero } from "../ranks/rank-zero.js";
import type { Ranks } from "../ranks/ranks.js";
import { type Timed, type TimedCommand, type TimedPart, timedInAll } from "../ranks/timed.js";
import { Turns } from "../turns.js";

/** What a step depends on, beside its model and batch. */
export type TrialTraining = OptimizerSettings &
  DropoutRates &
  Pick<TrainingConfig, "accumulate" | "batchSize" | "randomSeed" | "workers">;

/** Tells the other ranks also to begin a {@link StepTrial}. */
export type TrialCommand =
  | {
      readonly kind: "trial";
      readonly model: ModelConfig;
      readonly training: TrialTraining;
      /** Of a batch, in characters. */
      readonly time: number;
    }
  | TimedCommand;

/** One of the many in which the optimizer leaves rows alone that a batch does not read. */
const USUAL_STEP = 1_025;
/** Of the batches of a step: they show how long all of them take. */
const MAX_BATCHES_IN_STEP = 4;

/** How many batches a step of a trial has. */
export function batchesTried({ accumulate }: Pick<TrainingConfig, "accumulate">): number {
  return Math.min(accumulate, MAX_BATCHES_IN_STEP);
}

/** Of a trial. A batch that is learned from again and again has its n-grams' vectors in the cache, which others don't. */
export const MOST_BATCHES = 4;

/** Steps that learn from some batches in turn, and change no weights. */
class StepTrial implements Timed {
  readonly #learner: Learner;
  readonly #training: TrialTraining;
  readonly #batches: readonly Batch[];
  readonly #state: ModelState;
  readonly #turns: Turns;
  /** Those learned from so far. */
  #learned = 0;

  /**
   * @param batches of all workers, of one size
   * @param signal aborted: what is run ends with its reason, if there is one process
   */
  constructor(
    model: CharRnn,
    training: TrialTraining,
    batches: readonly Batch[],
    { ranks, signal }: { readonly ranks: Ranks; readonly signal?: AbortSignal | undefined },
  ) {
    this.#learner = new Learner(model, training, ranks);
    this.#training = training;
    this.#batches = batches;
    this.#state = model.zeroState(batches[0].batch);
    // Others would wait for it.
    this.#turns = new Turns(ranks.size > 1 ? undefined : signal);
  }

  async run(part: TimedPart): Promise<void> {
    if (part === "exchange") {
      this.#learner.joinNothing();
      return;
    }
    await this.#turns.during(() => this.#learn());
    this.#learner.update(0, USUAL_STEP);
  }

  /** Leaves the model. */
  dispose(): void {
    this.#learner.dispose();
  }

  #learn(): void {
    const random = Random.fromSeed(this.#training.randomSeed).fork("dropout");
    const { begin, end } = this.#learner.own;
    this.#learner.forgetGradients();
    for (let part = 0; part < batchesTried(this.#training); part++) {
      const batch = this.#batches[this.#learned++ % this.#batches.length];
      for (let worker = begin; worker < end; worker++) {
        const dropout = { rates: this.#training, random };
        this.#learner.lossAndGradients(batch, this.#state, dropout, worker);
      }
    }
  }
}

/** A trial in a rank that has no text: its tokens are random. */
export function trialWithoutText(
  model: CharRnn,
  { training, time }: Extract<TrialCommand, { kind: "trial" }>,
  ranks: Ranks,
): Timed {
  const batches = randomBatches(time, batchRows(training), model.config.vocabularySize);
  const trial = new StepTrial(model, training, batches, { ranks });
  return {
    run: (part) => trial.run(part),
    dispose() {
      trial.dispose();
      model.dispose();
    },
  };
}

/** Batches of random characters. */
export function randomBatches(time: number, rows: number, vocabularySize: number): Batch[] {
  const random = Random.fromSeed(0);
  const before = nothingBefore(rows);
  return Array.from({ length: MOST_BATCHES }, () => {
    const tokens = Int32Array.from({ length: time * rows }, () => random.below(vocabularySize));
    return { inputs: tokens, targets: tokens, before, time, batch: rows, startsFresh: true };
  });
}

/**
 * Does something with a trial in all ranks.
 *
 * @param use gets what runs a part of it in all ranks
 */
export async function withTrial<Result>(
  rankZero: RankZero<TrialCommand>,
  parts: {
    readonly model: CharRnn;
    readonly training: TrialTraining;
    readonly batches: readonly Batch[];
    readonly signal?: AbortSignal | undefined;
  },
  use: (run: Timed["run"]) => Promise<Result>,
): Promise<Result> {
  const { model, training, batches, signal } = parts;
  const trial = await timedInAll(
    rankZero,
    { kind: "trial", model: model.config, training, time: batches[0].time },
    () => new StepTrial(model, training, batches, { ranks: rankZero.ranks, signal }),
  );
  return thenCleanUp(
    () => use(trial.run),
    () => trial.dispose(),
  );
}
