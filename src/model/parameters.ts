import type { Backend, ParameterArray } from "../backends/backend.js";
import type { ModelConfig } from "../config/model.js";
import { parameterShapes, sizeOf } from "../config/parameters.js";

/** A new array of zeros for the parameters of `config`, with a slice for each PyTorch name. */
export function parameterArray(backend: Backend, config: ModelConfig): ParameterArray {
  return backend.parameterArray(parameterShapes(config));
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
