import { disposeAll } from "../backends/scope.js";
import { tensor } from "../backends/tfjs.js";
import { type Checkpoint, momentName, stateName } from "../checkpoint/checkpoint.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import { parameterCount } from "../model/config.js";
import { loadWeights } from "../model/load-weights.js";
import { parameterViews } from "../model/parameters.js";
import type { Run } from "./run.js";

/** All that a checkpoint keeps of a run between two steps; views of the live arrays. */
export function checkpointOf(run: Run): Checkpoint {
  const { config, progress, corpus, model, optimizer, state } = run;
  const tensors = new Map<string, NamedTensor>();
  const put = (name: string, shape: readonly number[], data: Float32Array) =>
    tensors.set(name, { name, shape, data });
  for (const [name, { shape, data }] of parameterViews(config.model, model.parameters.read())) {
    put(name, shape, data);
  }
  for (const [moment, array] of optimizer.moments) {
    for (const [name, { shape, data }] of parameterViews(config.model, array.read())) {
      put(momentName(name, moment), shape, data);
    }
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
  run: Pick<Run, "config" | "model" | "optimizer" | "state">,
  tensors: ReadonlyMap<string, NamedTensor>,
): void {
  const { config, model, optimizer } = run;
  const saved = (name: string) => tensors.get(name) as NamedTensor & { data: Float32Array };
  loadWeights(model, tensors);
  for (const [moment, array] of optimizer.moments) {
    const values = new Float32Array(parameterCount(config.model));
    for (const [name, { data }] of parameterViews(config.model, values)) {
      data.set(saved(momentName(name, moment)).data);
    }
    array.write(values);
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
