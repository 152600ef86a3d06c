import type { ParameterArray } from "../backends/backend.js";
import type { TrainingConfig } from "../config/run.js";
import type { Batch } from "../data/batch.js";
import { learnedCharacters, workerBatch } from "../data/worker-batch.js";
import { NonzeroGradients } from "../model/batch-ngrams.js";
import type { CharRnn, ModelState, Score } from "../model/char-rnn.js";
import type { Dropout } from "../model/dropout.js";
import { parameterArray } from "../model/parameters.js";
import { workerState } from "../model/worker-state.js";
import { alone } from "../ranks/alone.js";
import type { Ranks } from "../ranks/ranks.js";
import { type Share, shareOf } from "../ranks/share.js";
import { GradientSum } from "./gradient-sum.js";
import { createOptimizer, type Optimizer, type OptimizerSettings } from "./optimizer.js";
import { WorkerGradients } from "./worker-gradients.js";

/** A model with everything that improves it: gradients, an optimizer, and the average of its weights. */
export class Learner {
  readonly model: CharRnn;
  /** The exponential moving average of the model's weights over the steps, unless there is none. */
  readonly average: ParameterArray | undefined;
  /** Of the last batch; once {@link update} was called, those that it used, which are clipped. */
  readonly gradients: ParameterArray;
  readonly optimizer: Optimizer;
  readonly workers: number;
  /** Those of this process. */
  readonly own: Share;
  /** Of the batches since the last update, by worker, where there are several. */
  readonly #sums: readonly GradientSum[];
  /** Characters of all workers in the batches since the last update. */
  #summed = 0;
  /** Of the gradients, where an update uses those of a single batch as they are. */
  readonly #nonzero: NonzeroGradients | undefined;
  /** Of this step, where there are several workers. */
  readonly #ofWorkers: WorkerGradients | undefined;

  /**
   * @param training `accumulate`: batches between two updates
   * @param ranks among which the workers are divided
   */
  constructor(
    model: CharRnn,
    training: OptimizerSettings & Pick<TrainingConfig, "accumulate" | "workers">,
    ranks: Ranks = alone(),
  ) {
    const { backend, config } = model;
    const { accumulate, workers = 1 } = training;
    this.model = model;
    this.average = training.averageDecay > 0 ? parameterArray(backend, config) : undefined;
    this.gradients = parameterArray(backend, config);
    this.optimizer = createOptimizer(backend, config, training);
    this.workers = workers;
    this.own = shareOf(workers, ranks.rank, ranks.size);
    const { length } = this.gradients.flat;
    const sums = accumulate > 1 ? this.own.end - this.own.begin : 0;
    this.#sums = Array.from({ length: sums }, () => new GradientSum(length));
    const isSingle = accumulate === 1 && workers === 1;
    const areArrays = this.gradients.flat instanceof Float32Array;
    if (isSingle && areArrays && config.ngramOrder) {
      this.#nonzero = new NonzeroGradients(config, this.gradients);
    }
    if (workers > 1) this.#ofWorkers = new WorkerGradients(backend, ranks, workers, length);
  }

  /**
   * Forward and backward over the part of a batch that is a worker's, one of this process: some of its sequences. The
   * gradients count in the next {@link update}, before which all workers must have learned from the batch.
   *
   * @param batch of all workers
   * @param state of all, before the batch; it stays as it is
   * @returns the loss of the worker's characters, and its state after them
   */
  lossAndGradients(
    batch: Batch,
    state: ModelState,
    dropout: Dropout,
    worker = 0,
  ): { readonly score: Score; readonly state: ModelState } {
    const { model, gradients, workers, own } = this;
    const sum = this.#sums.at(worker - own.begin);
    if (!this.#ofWorkers) {
      const result = model.lossAndGradients(batch, state, gradients, dropout, this.#nonzero);
      sum?.add(gradients, result.score.characters);
      return result;
    }
    const all = learnedCharacters(batch);
    if (worker === own.begin) this.#summed += all;
    const part = workerBatch(batch, worker, workers);
    const before = workerState(state, worker, workers);
    const characters = learnedCharacters(part);
    if (characters === 0) {
      if (!sum) this.#ofWorkers.putNothing(worker);
      return { score: { loss: 0, characters, correct: 0 }, state: before };
    }
    const random = dropout.random.fork("worker", worker);
    const result = model.lossAndGradients(part, before, gradients, { ...dropout, random });
    if (sum) sum.add(gradients, characters);
    else this.#ofWorkers.put(worker, gradients, characters / all);
    return result;
  }

  /**
   * Changes the weights by the gradients of the mean loss over all characters since the last update. All processes call
   * it in the same step, and have the same weights before and after.
   *
   * @param step the number of this update, from 1
   * @returns the global norm of the gradients before clipping; where it is not finite nothing was changed
   */
  update(learningRate: number, step: number): number {
    const { model, gradients, average } = this;
    this.#join();
    const arrays = { parameters: model.parameters, gradients, nonzero: this.#nonzero, average };
    return this.optimizer.step(arrays, learningRate, step);
  }

  /** Leaves out of the next update what was learned since the last one. */
  forgetGradients(): void {
    for (const sum of this.#sums) sum.clear();
    this.#summed = 0;
  }

  /** Joins gradients of zero, as {@link update} joins those of a step, so that it can be timed. All processes call it. */
  joinNothing(): void {
    for (let worker = this.own.begin; worker < this.own.end; worker++) {
      this.#ofWorkers?.putNothing(worker);
    }
    this.#ofWorkers?.join(this.gradients);
  }

  /** Frees all but the model. */
  dispose(): void {
    this.average?.dispose();
    this.gradients.dispose();
    this.optimizer.dispose();
  }

  /** Makes the gradients those of all batches and workers since the last update. */
  #join(): void {
    const { gradients } = this;
    for (const [k, sum] of this.#sums.entries()) {
      const worker = this.own.begin + k;
      if (sum.characters > 0) sum.writeMean(gradients);
      if (sum.characters > 0)
        this.#ofWorkers?.put(worker, gradients, sum.characters / this.#summed);
      else this.#ofWorkers?.putNothing(worker);
    }
    this.forgetGradients();
    this.#ofWorkers?.join(gradients);
  }
}
