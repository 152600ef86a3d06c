import { type Tensor, tensor } from "../backends/tfjs.js";
import { type ModelConfig, parameterCount, parameterShapes, sizeOf } from "./config.js";

/**
 * One number for each parameter of a model (the weights themselves, their gradients, an optimizer's
 * moments) in one array, seen as a whole and by parameter. The tensors are views of the array, so
 * that a kernel which writes in place writes all of them at once.
 */
export interface ParameterArray {
  readonly values: Float32Array;
  /** All of them, `[parameters]`. */
  readonly flat: Tensor;
  /** By PyTorch name, each in its own shape. */
  readonly byName: ReadonlyMap<string, Tensor>;
  /** The one of this name, which must exist. */
  of(name: string): Tensor;
  dispose(): void;
}

/** A new array of zeros for the parameters of `config`. */
export function parameterArray(config: ModelConfig): ParameterArray {
  const values = new Float32Array(parameterCount(config));
  const flat = tensor(values, [values.length], "float32");
  const byName = new Map<string, Tensor>();
  for (const [name, part] of parameterViews(config, values)) {
    byName.set(name, tensor(part.data, [...part.shape], "float32"));
  }
  return {
    values,
    flat,
    byName,
    of(name) {
      const view = byName.get(name);
      if (view === undefined) throw new Error(`A model of this shape has no parameter ${name}.`);
      return view;
    },
    dispose() {
      flat.dispose();
      for (const view of byName.values()) view.dispose();
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
