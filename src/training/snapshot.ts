import type { ParameterArray } from "../backends/backend.js";
import { type Checkpoint, type CheckpointFacts, readCheckpoint } from "../checkpoint/checkpoint.js";
import {
  momentName,
  numbersOf,
  stateName,
  trainingName,
} from "../checkpoint/checkpoint-tensors.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import { batchRows } from "../config/run.js";
import { parameterViews } from "../model/parameters.js";
import type { Run } from "./run.js";

/** All that a checkpoint keeps of a run between two steps; views of the live arrays. */
export function checkpointOf(run: Run): Checkpoint {
  const { config, progress, corpus, state } = run;
  const { model, average, optimizer } = run.learner;
  const tensors = new Map<string, NamedTensor>();
  const put = (name: string, shape: readonly number[], data: Float32Array) =>
    tensors.set(name, { name, shape, data });
  const putParameters = (array: ParameterArray, nameOf: (parameter: string) => string) => {
    for (const [name, { shape, data }] of parameterViews(config.model, array.read())) {
      put(nameOf(name), shape, data);
    }
  };
  putParameters(average ?? model.parameters, (name) => name);
  if (average) putParameters(model.parameters, trainingName);
  for (const [moment, array] of optimizer.moments) {
    putParameters(array, (name) => momentName(name, moment));
  }
  const stateShape = [batchRows(config.training), config.model.hiddenSize];
  for (const [layer, { hidden, cellState }] of state.entries()) {
    put(stateName(layer, "hidden"), stateShape, hidden);
    if (cellState) put(stateName(layer, "cell"), stateShape, cellState);
  }
  return { config, vocabulary: corpus.vocabulary, progress, tensors };
}

/**
 * Puts back what {@link checkpointOf} took, one tensor after the other, so that it takes little more memory
 * than the run itself.
 *
 * @returns what the checkpoint says
 * @throws CharnnError as `readCheckpoint` does; the run is of no use then
 */
export async function restoreRun(
  run: Pick<Run, "learner" | "state">,
  path: string,
  signal?: AbortSignal,
): Promise<CheckpointFacts> {
  const { model, average, optimizer } = run.learner;
  const writers = new Map<string, (values: Float32Array) => void>();
  const addSlices = (array: ParameterArray, nameOf: (parameter: string) => string) => {
    for (const name of array.byName.keys()) {
      writers.set(nameOf(name), (values) => array.writeSlice(name, values));
    }
  };
  addSlices(average ?? model.parameters, (name) => name);
  if (average) addSlices(model.parameters, trainingName);
  for (const [moment, array] of optimizer.moments) {
    addSlices(array, (name) => momentName(name, moment));
  }
  const { tensors, ...facts } = await readCheckpoint(path, {
    signal,
    onTensor({ name, data }) {
      const write = writers.get(name);
      write?.(data);
      return !write;
    },
  });
  const saved = (name: string) => numbersOf(tensors, name).slice();
  run.state = run.state.map((layerState, layer) => {
    const hidden = saved(stateName(layer, "hidden"));
    if (!layerState.cellState) return { hidden };
    return { hidden, cellState: saved(stateName(layer, "cell")) };
  });
  return facts;
}
