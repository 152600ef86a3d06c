import type { ParameterArray } from "../backends/backend.js";
import { batchRows, isCalibrated, type RunConfig, type TrainingConfig } from "../config/run.js";
import { CharRnn, type ModelState, modelWorkspace } from "../model/char-rnn.js";
import { parameterArray } from "../model/parameters.js";
import { Learner } from "../optimization/learner.js";
import { Random } from "../random.js";
import type { Ranks } from "../ranks/ranks.js";

/** One of the models that a run trains, with all that it takes to train it. */
export interface Member {
  readonly learner: Learner;
  /**
   * What is evaluated and sampled from: the model, or another with the average of its weights. In a calibrated run it has a copy of
   * these weights, which `setTemperature` writes.
   */
  readonly evalModel: CharRnn;
  /** Of its dropout. */
  readonly random: Random;
  /** That of the sequences of this process's workers; of others only after `gatherState`. */
  state: ModelState;
}

/** The random numbers of a member. The second member has those of a run with the next random seed, and so on. */
export function randomOfMember({ randomSeed }: TrainingConfig, member: number): Random {
  return Random.fromSeed(randomSeed + member);
}

/** @param models that a run trains, with their first weights; the members own them from now on */
export function createMembers(
  models: readonly CharRnn[],
  { model: shape, training }: RunConfig,
  ranks: Ranks,
): Member[] {
  // One is evaluated after the other.
  const workspace = modelWorkspace(models[0].backend, shape);
  return models.map((model, index) => {
    const { backend } = model;
    const learner = new Learner(model, training, ranks);
    const evaluated = isCalibrated(training) ? parameterArray(backend, shape) : learner.average;
    return {
      learner,
      evalModel: evaluated ? new CharRnn(backend, shape, evaluated, workspace) : model,
      random: randomOfMember(training, index),
      state: model.zeroState(batchRows(training)),
    };
  });
}

/** All arrays of parameters that a member has between two steps: weights, their average, and moments. */
export function arraysOf({ learner }: Member): ParameterArray[] {
  const { model, average, optimizer } = learner;
  return [model.parameters, ...(average ? [average] : []), ...optimizer.moments.values()];
}

/** Frees the tensors of members. */
export function disposeMembers(members: readonly Member[]): void {
  for (const { learner, evalModel } of members) {
    const { model } = learner;
    learner.dispose();
    model.dispose();
    if (evalModel !== model) evalModel.dispose();
  }
}
