import { linkedTensors, overwrite } from "../backends/engine.js";
import type { Tensor } from "../backends/tfjs.js";
import { type ModelConfig, parameterCount, parameterShapes, sizeOf } from "../config/model.js";

/**
 * One number for each parameter of a model (the weights themselves, their gradients, an optimizer's
 * moments), seen as a whole and by parameter: what a kernel writes to the whole is seen in the
 * parameters, and the other way round.
 */
export interface ParameterArray {
  /** All of them, `[parameters]`. */
  readonly flat: Tensor;
  /** By PyTorch name, each in its own shape. */
  readonly byName: ReadonlyMap<string, Tensor>;
  /** The one of this name, which must exist. */
  of(name: string): Tensor;
  /** All numbers as they are now: not to be changed, and, with some backends, changed later. */
  read(): Float32Array;
  /** Overwrites all numbers. */
  write(values: Float32Array): void;
  dispose(): void;
}

/** A new array of zeros for the parameters of `config`. */
export function parameterArray(config: ModelConfig): ParameterArray {
  const shapes = parameterShapes(config);
  const zeros = new Float32Array(parameterCount(config));
  const { whole: flat, parts } = linkedTensors(zeros, shapes.values());
  const byName = new Map([...shapes.keys()].map((name, index) => [name, parts[index]]));
  return {
    flat,
    byName,
    of(name) {
      const view = byName.get(name);
      if (view === undefined) throw new Error(`A model of this shape has no parameter ${name}.`);
      return view;
    },
    read: () => flat.dataSync<"float32">(),
    write: (values) => overwrite(flat, values),
    dispose() {
      flat.dispose();
      for (const view of parts) view.dispose();
    },
  };
}

/** The part of `values` that belongs to each parameter, under its PyTorch name. */
export function* parameterViews(
  config: ModelConfig,
  values: Float32Array,
): Generator<[string, { shape: readonly number[]; data: Float32Array }]> {
  let start = 0;
  for (const [name, shape] of parameterShapes(config)) {
    const end = start + sizeOf(shape);
    yield [name, { shape, data: values.subarray(start, end) }];
    start = end;
  }
}
