import type { ParameterArray } from "../backends/backend.js";
import type { TrainingConfig } from "../config/run.js";
import type { Batch } from "../data/batch.js";
import type { CharRnn, ModelState, Score } from "../model/char-rnn.js";
import type { Dropout } from "../model/dropout.js";
import { parameterArray } from "../model/parameters.js";
import { createOptimizer, type Optimizer, type OptimizerSettings } from "./optimizer.js";

/** A model with everything that improves it: gradients, an optimizer, and the average of its weights. */
export class Learner {
  readonly model: CharRnn;
  /** The exponential moving average of the model's weights over the steps, unless there is none. */
  readonly average: ParameterArray | undefined;
  /** Of the last batch; once {@link update} was called, those that it used, which are clipped. */
  readonly gradients: ParameterArray;
  readonly optimizer: Optimizer;
  /** Of the batches since the last update, each times its characters, `[parameters]`. */
  #sum: Float32Array | undefined;
  #characters = 0;
  readonly #accumulates: boolean;

  /** @param training `accumulate`: batches between two updates */
  constructor(model: CharRnn, training: OptimizerSettings & Pick<TrainingConfig, "accumulate">) {
    const { backend, config } = model;
    this.model = model;
    this.average = training.averageDecay > 0 ? parameterArray(backend, config) : undefined;
    this.gradients = parameterArray(backend, config);
    this.optimizer = createOptimizer(backend, config, training);
    this.#accumulates = training.accumulate > 1;
  }

  /**
   * Forward and backward over a batch. Its gradients count in the next {@link update}.
   *
   * @param state before the batch; it stays as it is
   * @returns the loss of its characters, and the state after them
   */
  lossAndGradients(
    batch: Batch,
    state: ModelState,
    dropout: Dropout,
  ): { readonly score: Score; readonly state: ModelState } {
    const result = this.model.lossAndGradients(batch, state, this.gradients, dropout);
    if (this.#accumulates) this.#add(result.score.characters);
    return result;
  }

  /**
   * Changes the weights by the gradients of the mean loss over all characters since the last update.
   *
   * @param step the number of this update, from 1
   * @returns the global norm of the gradients before clipping; where it is not finite nothing was changed
   */
  update(learningRate: number, step: number): number {
    const { model, gradients, average } = this;
    if (this.#sum) {
      for (let i = 0; i < this.#sum.length; i++) this.#sum[i] /= this.#characters;
      gradients.write(this.#sum);
      this.forgetGradients();
    }
    const arrays = { parameters: model.parameters, gradients, average };
    return this.optimizer.step(arrays, learningRate, step);
  }

  /** Leaves out of the next update what was learned since the last one. */
  forgetGradients(): void {
    this.#sum?.fill(0);
    this.#characters = 0;
  }

  /** Frees all but the model. */
  dispose(): void {
    this.average?.dispose();
    this.gradients.dispose();
    this.optimizer.dispose();
  }

  #add(characters: number): void {
    const values = this.gradients.read();
    this.#sum ??= new Float32Array(values.length);
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) sum[i] += characters * values[i];
    this.#characters += characters;
  }
}
