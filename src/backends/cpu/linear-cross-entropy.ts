import { addWeightGradient } from "./linear.js";
import { addProduct, fillRows, multiplyRows, transpose } from "./matrix.js";
import type { CpuWorkspace } from "./workspace.js";

/** Of a decoder, with shapes as in the contract, where `[time, batch]` are `[positions]`. */
export interface LossArrays {
  readonly input: Float32Array;
  readonly inputMask?: Float32Array | undefined;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly targets: Int32Array;
  /** With both of these the gradients are wanted too. */
  readonly gradientWeight?: Float32Array | undefined;
  readonly gradientBias?: Float32Array | undefined;
}

/** All `[positions]`; 0 where the target is below 0, but for the predictions. */
export interface LossOutputs {
  /** Nats. */
  readonly losses: Float32Array;
  /** The most likely tokens. */
  readonly predictions: Int32Array;
  /** How many tokens are likelier than the target, or as likely and before it. */
  readonly ranks: Int32Array;
}

/** Positions at a time, so that memory does not grow with positions times vocabulary. */
const BLOCK = 64;

/**
 * The decoder and its loss, forward and, where gradients are given, backward.
 *
 * @param outputs overwritten
 * @returns the gradient with respect to the input `[positions, hidden]`, a view of the workspace, if wanted
 */
export function forwardAndBackwardLoss(
  arrays: LossArrays,
  { losses, predictions, ranks }: LossOutputs,
  work: CpuWorkspace,
): Float32Array | undefined {
  const { weight, bias, targets, gradientWeight, gradientBias } = arrays;
  const positions = targets.length;
  const vocabulary = bias.length;
  const hiddenSize = weight.length / vocabulary;
  let input = arrays.input;
  if (arrays.inputMask) {
    input = work.floats("masked input", input.length);
    multiplyRows(input, arrays.input, arrays.inputMask);
  }
  const wantsGradient = gradientWeight !== undefined && gradientBias !== undefined;
  const gradientInput = wantsGradient
    ? work.floats("gradient input", input.length).fill(0)
    : undefined;
  const weightByUnit = wantsGradient ? work.floats("weight by unit", weight.length) : undefined;
  if (weightByUnit) transpose(weightByUnit, weight, vocabulary, hiddenSize);
  const biasSums = work.doubles("bias sums", vocabulary).fill(0);
  gradientWeight?.fill(0);
  const scored = countScored(targets);

  for (let first = 0; first < positions; first += BLOCK) {
    const rows = Math.min(BLOCK, positions - first);
    const blockInput = input.subarray(first * hiddenSize, (first + rows) * hiddenSize);
    const logits = work.floats("logits", rows * vocabulary);
    fillRows(logits, bias, rows);
    addProduct(logits, blockInput, weight, rows, vocabulary, hiddenSize);
    for (let row = 0; row < rows; row++) {
      const position = first + row;
      const scores = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
      predictions[position] = indexOfLargest(scores);
      const logSum = logSumExp(scores, scores[predictions[position]]);
      const target = targets[position];
      losses[position] = target < 0 ? 0 : logSum - scores[target];
      ranks[position] = target < 0 ? 0 : rankOf(scores, target);
      if (!wantsGradient) continue;
      // loss = logSumExp(scores) - scores[target], averaged over the positions with a target
      for (let c = 0; c < vocabulary; c++) {
        const probability = Math.exp(scores[c] - logSum);
        const gradient = target < 0 ? 0 : (probability - (c === target ? 1 : 0)) / scored;
        scores[c] = gradient;
        biasSums[c] += gradient;
      }
    }
    if (gradientInput && gradientWeight && weightByUnit) {
      const blockGradient = gradientInput.subarray(first * hiddenSize, (first + rows) * hiddenSize);
      addProduct(blockGradient, logits, weightByUnit, rows, hiddenSize, vocabulary);
      addWeightGradient(gradientWeight, logits, blockInput, rows, work);
    }
  }
  gradientBias?.set(biasSums);
  if (gradientInput && arrays.inputMask) {
    multiplyRows(gradientInput, gradientInput, arrays.inputMask);
  }
  return gradientInput;
}

function countScored(targets: Int32Array): number {
  let count = 0;
  for (const target of targets) if (target >= 0) count++;
  return count;
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** How many values are larger than that at an index, or equal to it and before it. */
function rankOf(values: Float32Array, index: number): number {
  let rank = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] > values[index] || (values[i] === values[index] && i < index)) rank++;
  }
  return rank;
}

/** log(sum of e^value), with the largest taken out so that nothing overflows. */
function logSumExp(values: Float32Array, largest: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - largest);
  return largest + Math.log(sum);
}
