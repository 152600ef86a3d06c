import { addProduct, sumRows, transpose } from "./matrix.js";
import type { CpuWorkspace } from "./workspace.js";

/**
 * gradientWeight[o, i] += sum over rows of gradient[row, o] * input[row, i]
 *
 * for y = W x + b, with `gradient` by y `[rows, outputs]` and `input` x `[rows, inputs]`.
 */
export function addWeightGradient(
  gradientWeight: Float32Array,
  gradient: Float32Array,
  input: Float32Array,
  rows: number,
  work: CpuWorkspace,
): void {
  const outputs = gradient.length / rows;
  const inputs = input.length / rows;
  const byOutput = work.floats("gradient by output", gradient.length);
  transpose(byOutput, gradient, rows, outputs);
  const byInput = work.floats("input by unit", input.length);
  transpose(byInput, input, rows, inputs);
  addProduct(gradientWeight, byOutput, byInput, outputs, inputs, rows);
}

/** gradientBias[o] = sum over rows of gradient[row, o] */
export function setBiasGradient(
  gradientBias: Float32Array,
  gradient: Float32Array,
  rows: number,
  work: CpuWorkspace,
): void {
  const sums = work.doubles("bias sums", gradientBias.length);
  sumRows(sums, gradient, rows);
  gradientBias.set(sums);
}
