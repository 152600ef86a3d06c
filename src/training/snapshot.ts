import { disposeAll } from "../backends/scope.js";
import { tensor } from "../backends/tfjs.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { momentName, stateName, trainingName } from "../checkpoint/checkpoint-tensors.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import { parameterCount } from "../model/config.js";
import { type ParameterArray, parameterViews } from "../model/parameters.js";
import type { Run } from "./run.js";

/** All that a checkpoint keeps of a run between two steps; views of the live arrays. */
export function checkpointOf(run: Run): Checkpoint {
  const { config, progress, corpus, model, average, optimizer, state } = run;
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

/** Puts back what {@link checkpointOf} took. */
export function restoreRun(
  run: Pick<Run, "config" | "model" | "average" | "optimizer" | "state">,
  tensors: ReadonlyMap<string, NamedTensor>,
): void {
  const { config, model, average, optimizer } = run;
  const saved = (name: string) => tensors.get(name) as NamedTensor & { data: Float32Array };
  const restore = (array: ParameterArray, nameOf: (parameter: string) => string) => {
    const values = new Float32Array(parameterCount(config.model));
    for (const [name, { data }] of parameterViews(config.model, values)) {
      data.set(saved(nameOf(name)).data);
    }
    array.write(values);
  };
  restore(model.parameters, average ? trainingName : (name) => name);
  if (average) restore(average, (name) => name);
  for (const [moment, array] of optimizer.moments) {
    restore(array, (name) => momentName(name, moment));
  }
  const stateTensor = (name: string) => {
    const { shape, data } = saved(name);
    return tensor(data, [...shape], "float32");
  };
  const zeros = run.state;
  run.state = zeros.map((layerState, layer) => {
    const hidden = stateTensor(stateName(layer, "hidden"));
    if (!layerState.cellState) return { hidden };
    return { hidden, cellState: stateTensor(stateName(layer, "cell")) };
  });
  disposeAll(zeros);
}
