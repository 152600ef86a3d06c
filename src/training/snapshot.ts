import type { ParameterArray } from "../backends/backend.js";
import { type Checkpoint, type CheckpointFacts, readCheckpoint } from "../checkpoint/checkpoint.js";
import {
  memberName,
  momentName,
  numbersOf,
  stateName,
  trainingName,
  uncalibratedName,
} from "../checkpoint/checkpoint-tensors.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import { DECODER_NAMES } from "../config/parameters.js";
import { batchRows, isCalibrated, type RunConfig } from "../config/run.js";
import { parameterViews } from "../model/parameters.js";
import { dividedBy } from "./calibration.js";
import type { Member } from "./member.js";
import type { Run } from "./run.js";

/** All that a checkpoint keeps of a run between two steps; views of the live arrays. */
export function checkpointOf(run: Run): Checkpoint {
  const { config, progress, corpus, members } = run;
  const { temperature = 1 } = progress;
  const tensors = new Map<string, NamedTensor>();
  for (const [index, member] of members.entries()) {
    const put = (plain: string, shape: readonly number[], data: Float32Array) => {
      const name = memberName(plain, index);
      tensors.set(name, { name, shape, data });
    };
    for (const [array, nameOf] of namedArrays(member, config)) {
      for (const [name, { shape, data }] of parameterViews(config.model, array.read())) {
        const savedAs = nameOf(name);
        put(savedAs, shape, data);
        // The plain name has what is to be used, so that no reader need know of the temperature.
        if (savedAs === uncalibratedName(name)) put(name, shape, dividedBy(temperature, data));
      }
    }
    const stateShape = [batchRows(config.training), config.model.hiddenSize];
    for (const [layer, { hidden, cellState }] of member.state.entries()) {
      put(stateName(layer, "hidden"), stateShape, hidden);
      if (cellState) put(stateName(layer, "cell"), stateShape, cellState);
    }
  }
  return { config, vocabulary: corpus.vocabulary, progress, tensors };
}

type NameOf = (parameter: string) => string;

/** The arrays of a member, each with what it calls its parameters in a checkpoint. */
function namedArrays(
  { learner }: Pick<Member, "learner">,
  { training }: Pick<RunConfig, "training">,
): [ParameterArray, NameOf][] {
  const { model, average, optimizer } = learner;
  const moments = [...optimizer.moments].map(([moment, array]): [ParameterArray, NameOf] => [
    array,
    (name) => momentName(name, moment),
  ]);
  const isDivided = (name: string) => isCalibrated(training) && DECODER_NAMES.has(name);
  const plain: [ParameterArray, NameOf] = [
    average ?? model.parameters,
    (name) => (isDivided(name) ? uncalibratedName(name) : name),
  ];
  return [
    plain,
    ...(average ? [[model.parameters, trainingName] as [ParameterArray, NameOf]] : []),
    ...moments,
  ];
}

/**
 * Puts back what {@link checkpointOf} took, one tensor after the other, so that it takes little more memory
 * than the run itself.
 *
 * @returns what the checkpoint says
 * @throws CharnnError as `readCheckpoint` does; the run is of no use then
 */
export async function restoreRun(
  { members, config }: Pick<Run, "members" | "config">,
  path: string,
  signal?: AbortSignal,
): Promise<CheckpointFacts> {
  const writers = new Map<string, (values: Float32Array) => void>();
  for (const [index, member] of members.entries()) {
    for (const [array, nameOf] of namedArrays(member, config)) {
      for (const name of array.byName.keys()) {
        writers.set(memberName(nameOf(name), index), (values) => array.writeSlice(name, values));
      }
    }
  }
  const { tensors, ...facts } = await readCheckpoint(path, {
    signal,
    onTensor({ name, data }) {
      const write = writers.get(name);
      write?.(data);
      return !write;
    },
  });
  for (const [index, member] of members.entries()) {
    const saved = (name: string) => numbersOf(tensors, memberName(name, index)).slice();
    member.state = member.state.map((layerState, layer) => {
      const hidden = saved(stateName(layer, "hidden"));
      if (!layerState.cellState) return { hidden };
      return { hidden, cellState: saved(stateName(layer, "cell")) };
    });
  }
  return facts;
}
