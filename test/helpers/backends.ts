import type { Tensor } from "#src/backends/backend.js";

/** The numbers of a tensor, a copy. */
export function numbersOf(tensor: Tensor): Float32Array {
  return tensor instanceof Float32Array ? tensor.slice() : tensor.read();
}
