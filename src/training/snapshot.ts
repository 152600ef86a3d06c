import { overwrite } from "../backends/engine.js";
import { disposeAll } from "../backends/scope.js";
import { type Tensor, tensor } from "../backends/tfjs.js";
import { type Checkpoint, type CheckpointFacts, readCheckpoint } from "../checkpoint/checkpoint.js";
import { momentName, stateName, trainingName } from "../checkpoint/checkpoint-tensors.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import { type ParameterArray, parameterViews } from "../model/parameters.js";
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
  for (const [layer, { hidden, cellState }] of state.entries()) {
    put(stateName(layer, "hidden"), hidden.shape, hidden.dataSync<"float32">());
    if (cellState) {
      put(stateName(layer, "cell"), cellState.shape, cellState.dataSync<"float32">());
    }
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
  const places = new Map<string, Tensor>();
  const addPlaces = (array: ParameterArray, nameOf: (parameter: string) => string) => {
    for (const [name, tensor] of array.byName) places.set(nameOf(name), tensor);
  };
  addPlaces(average ?? model.parameters, (name) => name);
  if (average) addPlaces(model.parameters, trainingName);
  for (const [moment, array] of optimizer.moments) {
    addPlaces(array, (name) => momentName(name, moment));
  }
  const { tensors, ...facts } = await readCheckpoint(path, {
    signal,
    onTensor({ name, data }) {
      const place = places.get(name);
      if (place) overwrite(place, data as Float32Array);
      return !place;
    },
  });
  const stateTensor = (name: string) => {
    const { shape, data } = tensors.get(name) as NamedTensor;
    return tensor(data, [...shape], "float32");
  };
  disposeAll(run.state);
  run.state = run.state.map((layerState, layer) => {
    const hidden = stateTensor(stateName(layer, "hidden"));
    if (!layerState.cellState) return { hidden };
    return { hidden, cellState: stateTensor(stateName(layer, "cell")) };
  });
  return facts;
}
